//! The events of a watch, a line each. kube's own reader keeps as much memory as the longest line took
//! for as long as the watch goes on, and a line may be as long as everything that a Secret is annotated
//! with.

use std::{error::Error, io, pin::Pin};

use futures::{
    AsyncBufRead, AsyncBufReadExt, StreamExt,
    stream::{self, BoxStream},
};
use hyper::header::{ACCEPT_ENCODING, HeaderValue};
use kube::{
    Api, Resource,
    api::{WatchEvent, WatchParams},
    core::{Request, Status},
};
use serde::de::DeserializeOwned;

/// A watch that is under way.
pub type Events<K> = BoxStream<'static, kube::Result<WatchEvent<K>>>;

/// A longer line gives its memory back.
const KEPT: usize = 16 << 10;

/// Begins a watch after a version, of metadata alone if that is what is read.
///
/// # Errors
/// The API server refuses it or does not answer.
pub async fn watch<K>(
    api: &Api<K>,
    parameters: &WatchParams,
    version: &str,
) -> kube::Result<Events<K>>
where
    K: Resource + Clone + DeserializeOwned + Send + 'static,
{
    let requests = Request::new(api.resource_url());
    let request = if K::metadata_api() {
        requests.watch_metadata(parameters, version)
    } else {
        requests.watch(parameters, version)
    };
    let mut request = request.map_err(kube::Error::BuildRequest)?;
    request.extensions_mut().insert("watch");
    // The API server compresses each event by itself, and decompression ends with the first.
    let identity = HeaderValue::from_static("identity");
    request.headers_mut().insert(ACCEPT_ENCODING, identity);
    let bytes = api.clone().into_client().request_stream(request).await?;
    let lines = Lines {
        bytes: Box::pin(bytes),
        line: Vec::new(),
    };
    let events = stream::unfold(lines, async |mut lines| {
        let event = lines.next().await?;
        Some((event, lines))
    });
    Ok(events.boxed())
}

struct Lines {
    bytes: Pin<Box<dyn AsyncBufRead + Send>>,
    line: Vec<u8>,
}

impl Lines {
    /// The next event. A connection that is cut off ends the watch like one that is closed.
    async fn next<K: DeserializeOwned>(&mut self) -> Option<kube::Result<WatchEvent<K>>> {
        self.line.clear();
        self.line.shrink_to(KEPT);
        match self.bytes.read_until(b'\n', &mut self.line).await {
            Ok(_) if self.line.ends_with(b"\n") => Some(event(&self.line)),
            Ok(_) => None,
            Err(error) if is_cut_off(&error) => None,
            Err(error) => Some(Err(kube::Error::ReadEvents(error))),
        }
    }
}

fn event<K: DeserializeOwned>(line: &[u8]) -> kube::Result<WatchEvent<K>> {
    serde_json::from_slice(line).map_err(|error| {
        let status = serde_json::from_slice::<Status>(line);
        // Whatever is an object may be read as a status, but then it has no code.
        match status {
            Ok(status) if status.code != 0 => kube::Error::Api(status.boxed()),
            _ => kube::Error::SerdeError(error),
        }
    })
}

/// Whether a connection that ended without a farewell, or on which nothing came, is somewhere among
/// the causes.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<io::Error>();
    let cut_off = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::TimedOut
        )
    };
    if io.is_some_and(cut_off) {
        return true;
    }
    // What an error of input and output was made of is not among its sources.
    let wrapped = io.and_then(io::Error::get_ref);
    let wrapped = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static));
    wrapped.or_else(|| error.source()).is_some_and(is_cut_off)
}
