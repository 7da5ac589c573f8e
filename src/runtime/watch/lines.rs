//! The events of a watch, one line each. kube's own reader keeps a buffer as large as the longest
//! line until the watch ends, and the annotations of a Secret can make a line very long.

use std::{error::Error, io, pin::Pin, time::Duration};

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

/// The events of an open watch.
pub type Events<K> = BoxStream<'static, kube::Result<WatchEvent<K>>>;

/// A connection on which nothing arrived for this time is dead.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(55);
/// The line buffer shrinks to this size after a longer line.
const KEPT: usize = 16 << 10;

/// Opens a watch from a resource version, of metadata only if `K` reads nothing else.
///
/// # Errors
/// The API server rejects the request or does not answer.
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
    // The API server compresses each event separately, and decompression would end after the first.
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
    /// The next event. A connection that was cut ends the watch like a closed one.
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
        // Any JSON object decodes as a Status, but only a real Status has a code.
        match status {
            Ok(status) if status.code != 0 => kube::Error::Api(status.boxed()),
            _ => kube::Error::SerdeError(error),
        }
    })
}

/// Whether the error, or any of its causes, is a connection that ended without a proper close or
/// timed out.
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
    // `source()` of an `io::Error` skips the error that it wraps; `get_ref()` returns it.
    let wrapped = io.and_then(io::Error::get_ref);
    let wrapped = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static));
    wrapped.or_else(|| error.source()).is_some_and(is_cut_off)
}

#[cfg(test)]
mod tests;
