//! A page of a list, decoded object by object while it arrives. An object may have megabytes of
//! which a few fields are read, so that 100 whole objects must never be in memory at once.

use std::{
    fmt,
    io::{self, BufReader, Read},
    marker::PhantomData,
};

use futures::{AsyncBufRead, AsyncBufReadExt, future};
use kube::{Api, Resource, api::ListParams, core::Request};
use serde::{
    Deserialize,
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
    },
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::spawn_blocking,
};

/// Chunks of a response that wait to be decoded, at most.
const CHUNKS: usize = 2;

/// The list metadata of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Page {
    /// The continue token of the next page; empty on the last page.
    #[serde(rename = "continue")]
    pub next: String,
    /// Resource version of the list.
    pub resource_version: String,
}

/// Requests a page of a list of `A`, and calls `visit` with each object. `K` is `A`, or a type that decodes a part of
/// `A`.
///
/// # Errors
/// The API server rejects the request, does not answer, or does not send a list.
pub async fn page<A, K>(
    api: &Api<A>,
    parameters: &ListParams,
    mut visit: impl FnMut(K),
) -> kube::Result<Page>
where
    A: Resource + Clone,
    K: DeserializeOwned + Send + 'static,
{
    let requests = Request::new(api.resource_url());
    let request = if A::metadata_api() {
        requests.list_metadata(parameters)
    } else {
        requests.list(parameters)
    };
    let mut request = request.map_err(kube::Error::BuildRequest)?;
    request.extensions_mut().insert("list");
    let bytes = api.clone().into_client().request_stream(request).await?;
    let (chunk_sender, chunks) = channel(CHUNKS);
    let (object_sender, mut objects) = channel(1);
    // The task ends when either channel is closed, and so also when the caller drops the future.
    let decoded = spawn_blocking(move || decode(chunks, object_sender));
    let deliver = async {
        while let Some(object) = objects.recv().await {
            visit(object);
        }
    };
    let (sent, ()) = future::join(send_chunks(Box::pin(bytes), chunk_sender), deliver).await;
    sent.map_err(kube::Error::ReadEvents)?;
    let panicked = |_| serde::de::Error::custom("the page could not be decoded; this is a bug");
    decoded
        .await
        .unwrap_or_else(|error| Err(panicked(error)))
        .map_err(kube::Error::SerdeError)
}

async fn send_chunks(
    mut bytes: impl AsyncBufRead + Unpin,
    chunk_sender: Sender<Vec<u8>>,
) -> io::Result<()> {
    loop {
        let chunk = bytes.fill_buf().await?.to_vec();
        let length = chunk.len();
        // The receiver is closed after a failure to decode, which the caller reports.
        if length == 0 || chunk_sender.send(chunk).await.is_err() {
            return Ok(());
        }
        bytes.consume_unpin(length);
    }
}

fn decode<K: DeserializeOwned>(
    chunks: Receiver<Vec<u8>>,
    object_sender: Sender<K>,
) -> serde_json::Result<Page> {
    let chunks = Chunks {
        received: chunks,
        rest: io::Cursor::default(),
    };
    let mut input = serde_json::Deserializer::from_reader(BufReader::new(chunks));
    input.deserialize_map(List(object_sender))
}

/// Reads the chunks of a response as they arrive.
struct Chunks {
    received: Receiver<Vec<u8>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.rest.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.received.blocking_recv() {
                Some(chunk) => self.rest = io::Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}

/// Decodes a list, and sends each object to the channel.
struct List<K>(Sender<K>);

impl<'de, K: Deserialize<'de>> Visitor<'de> for List<K> {
    type Value = Page;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        while let Some(field) = fields.next_key::<String>()? {
            match field.as_str() {
                "metadata" => page = fields.next_value()?,
                "items" => fields.next_value_seed(Items(&self.0, PhantomData))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(page)
    }
}

struct Items<'a, K>(&'a Sender<K>, PhantomData<K>);

impl<'de, K: Deserialize<'de>> DeserializeSeed<'de> for Items<'_, K> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, K: Deserialize<'de>> Visitor<'de> for Items<'_, K> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("objects")
    }

    /// Go may encode an empty list as `null`.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<(), A::Error> {
        while let Some(object) = objects.next_element()? {
            let sent = self.0.blocking_send(object);
            sent.map_err(|_| serde::de::Error::custom("the page was given up"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
