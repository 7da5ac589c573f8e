//! A page of a list is passed on object by object, for any text around the objects and any end of the page.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use crate::runtime::{
    pages::{Page, page},
    partial_meta::PartialMeta,
};
use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame},
};
use kube::{Api, Client, Resource, api::ListParams, client::Body};
use serde_json::json;
use tower::service_fn;

type Chunk = Result<Vec<u8>, io::ErrorKind>;

/// A list whose chunks are created on demand. Returns the page, the names of the objects, each with the number of
/// chunks created by then, and the URI of the request.
async fn listed(
    status: StatusCode,
    chunks: impl Iterator<Item = Chunk> + Send + 'static,
) -> (kube::Result<Page>, Vec<(String, usize)>, String) {
    let created_chunks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&created_chunks);
    let chunks = chunks.inspect(move |_| {
        count.fetch_add(1, SeqCst);
    });
    let (uri, chunks) = (
        Arc::new(Mutex::new(String::new())),
        Mutex::new(Some(chunks)),
    );
    let log = Arc::clone(&uri);
    let service = service_fn(move |request: Request<Body>| {
        *log.lock().unwrap() = request.uri().to_string();
        let chunks = futures::stream::iter(chunks.lock().unwrap().take().unwrap());
        let body = StreamBody::new(chunks.map(|chunk| {
            chunk
                .map(|bytes| Frame::data(Bytes::from(bytes)))
                .map_err(io::Error::from)
        }));
        let response = Response::builder().status(status).body(body).unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    let api: Api<PartialMeta> = Api::namespaced(Client::new(service, "shop"), "shop");
    let mut names = Vec::new();
    let parameters = ListParams::default().limit(7);
    let read = page(&api, &parameters, |object: PartialMeta| {
        names.push((
            object.meta().name.clone().unwrap(),
            created_chunks.load(SeqCst),
        ));
    });
    let read = read.await;
    let uri = uri.lock().unwrap().clone();
    (read, names, uri)
}

fn in_one(text: &str) -> impl Iterator<Item = Chunk> + Send + 'static {
    std::iter::once(Ok(text.as_bytes().to_vec()))
}

#[tokio::test]
async fn objects_are_delivered_in_order_and_the_next_page_is_named() {
    let text = json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": { "resourceVersion": "42", "continue": "token", "remainingItemCount": 3 },
        "items": [{ "metadata": { "name": "one" } }, { "metadata": { "name": "two" }, "data": { "a": "b" } }],
    });
    let bytes: Vec<Chunk> = text
        .to_string()
        .bytes()
        .map(|byte| Ok(vec![byte]))
        .collect();
    let (page, names, uri) = listed(StatusCode::OK, bytes.into_iter()).await;
    let page = page.unwrap();
    assert_eq!(
        (page.next.as_str(), page.resource_version.as_str()),
        ("token", "42")
    );
    let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(uri, "/api/v1/namespaces/shop/secrets?&limit=7");
}

#[tokio::test]
async fn a_list_may_be_empty_or_null() {
    for items in ["[]", "null"] {
        let text = format!(r#"{{"items":{items},"metadata":{{"resourceVersion":"1"}}}}"#);
        let (page, names, _) = listed(StatusCode::OK, in_one(&text)).await;
        assert_eq!((page.unwrap().next.as_str(), names.len()), ("", 0));
    }
}

#[tokio::test]
async fn an_incomplete_list_is_an_error() {
    for text in [
        "",
        "[]",
        r#"{"items":[{"metadata":{"name":"one"}}"#,
        r#"{"items":[7]}"#,
    ] {
        let (page, ..) = listed(StatusCode::OK, in_one(text)).await;
        assert!(
            matches!(page, Err(kube::Error::SerdeError(_))),
            "{text}: {page:?}"
        );
    }
    let cut = [
        Ok(br#"{"items":["#.to_vec()),
        Err(io::ErrorKind::UnexpectedEof),
    ];
    let (page, ..) = listed(StatusCode::OK, cut.into_iter()).await;
    assert!(matches!(page, Err(kube::Error::ReadEvents(_))), "{page:?}");
    let refusal = json!({ "kind": "Status", "code": 403, "reason": "Forbidden", "message": "no",
        "status": "Failure" });
    let (page, ..) = listed(StatusCode::FORBIDDEN, in_one(&refusal.to_string())).await;
    assert!(matches!(page, Err(kube::Error::Api(status)) if status.code == 403));
}

/// A hundred objects of 1.3 MB each: chunks are read only as fast as they are decoded, and fields that no decision
/// needs are dropped.
#[tokio::test]
async fn of_a_page_larger_than_memory_only_a_few_pieces_are_read_at_once() {
    const PIECES: usize = 83;
    let object = |number: usize, piece: usize| -> Chunk {
        Ok(match piece {
            0 => {
                let comma = if number == 0 { "" } else { "," };
                format!(r#"{comma}{{"metadata":{{"name":"pod-{number}"}},"spec":""#).into_bytes()
            }
            PIECES => br#""}"#.to_vec(),
            _ => vec![b'x'; 16 << 10],
        })
    };
    let all = (0..100).flat_map(move |number| (0..=PIECES).map(move |piece| object(number, piece)));
    let first = std::iter::once(Ok(br#"{"items":["#.to_vec()));
    let chunks = first.chain(all).chain(std::iter::once(Ok(b"]}".to_vec())));
    let (page, names, _) = listed(StatusCode::OK, chunks).await;
    page.unwrap();
    assert_eq!(names.len(), 100);
    for (at, (_, created)) in names.iter().enumerate() {
        assert!(
            *created <= (at + 4) * (PIECES + 1),
            "{created} pieces at object {at}"
        );
    }
}
