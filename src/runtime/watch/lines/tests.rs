//! A watch is read line by line, for any split of the bytes and any end of the connection.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};

use crate::runtime::{
    partial_meta::PartialMeta,
    watch::{WatchedCredentials, lines::watch},
};
use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Bytes, Frame},
    header::{ACCEPT, ACCEPT_ENCODING},
};
use kube::{
    Api, Client, Resource,
    api::{WatchEvent, WatchParams},
    client::Body,
    core::NamespaceResourceScope,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::service_fn;

type Chunks = Vec<Result<Vec<u8>, io::ErrorKind>>;

/// Events of a watch whose body arrives in these chunks, and headers and URI of the request.
async fn watch_events<K>(
    status: StatusCode,
    chunks: Chunks,
) -> (
    kube::Result<Vec<kube::Result<WatchEvent<K>>>>,
    HeaderMap,
    String,
)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Send
        + 'static,
{
    let sent = Arc::new(Mutex::new((HeaderMap::new(), String::new())));
    let (log, chunks) = (Arc::clone(&sent), Mutex::new(Some(chunks)));
    let service = service_fn(move |request: Request<Body>| {
        *log.lock().unwrap() = (request.headers().clone(), request.uri().to_string());
        let chunks = chunks.lock().unwrap().take().unwrap().into_iter();
        let frames = chunks.map(|chunk| chunk.map(|bytes| Frame::data(Bytes::from(bytes))));
        let body = StreamBody::new(futures::stream::iter(
            frames.map(|frame| frame.map_err(io::Error::from)),
        ));
        let response = Response::builder().status(status).body(body).unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    let api: Api<K> = Api::namespaced(Client::new(service, "shop"), "shop");
    let events = match watch(&api, &WatchParams::default(), "4711").await {
        Ok(events) => Ok(events.collect().await),
        Err(error) => Err(error),
    };
    let (headers, uri) = sent.lock().unwrap().clone();
    (events, headers, uri)
}

/// Events about Secrets as their names; errors unchanged.
async fn names(chunks: Chunks) -> Vec<Result<String, kube::Error>> {
    let (events, ..) = watch_events::<PartialMeta>(StatusCode::OK, chunks).await;
    let name = |event: WatchEvent<PartialMeta>| match event {
        WatchEvent::Added(secret) => secret.meta().name.clone().unwrap(),
        WatchEvent::Modified(secret) => format!("{} again", secret.meta().name.clone().unwrap()),
        WatchEvent::Deleted(secret) => format!("no {}", secret.meta().name.clone().unwrap()),
        WatchEvent::Bookmark(bookmark) => bookmark.metadata.resource_version,
        WatchEvent::Error(status) => status.code.to_string(),
    };
    let events = events.unwrap().into_iter();
    events.map(|event| event.map(name)).collect()
}

fn line(kind: &str, object: &Value) -> Vec<u8> {
    let event = json!({ "type": kind, "object": object });
    format!("{event}\n").into_bytes()
}

fn secret(name: &str) -> Value {
    json!({ "metadata": { "name": name, "annotations": { "note": "\u{1F600}" } } })
}

fn unwrapped(names: Vec<Result<String, kube::Error>>) -> Vec<String> {
    names.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_kind_of_event_is_delivered() {
    let bookmark = json!({ "kind": "Secret", "apiVersion": "v1",
        "metadata": { "resourceVersion": "4712", "creationTimestamp": null } });
    let gone = json!({ "kind": "Status", "status": "Failure", "code": 410, "message": "too old",
        "reason": "Expired" });
    let lines = [
        line("ADDED", &secret("orders")),
        line("MODIFIED", &secret("orders")),
        line("DELETED", &secret("orders")),
        line("BOOKMARK", &bookmark),
        line("ERROR", &gone),
    ];
    let events = unwrapped(names(vec![Ok(lines.concat())]).await);
    assert_eq!(
        events,
        ["orders", "orders again", "no orders", "4712", "410"]
    );
}

#[tokio::test]
async fn a_line_may_be_split_anywhere() {
    let lines = [line("ADDED", &secret("a")), line("ADDED", &secret("b"))].concat();
    for at in 0..=lines.len() {
        let (first, second) = lines.split_at(at);
        let events = names(vec![Ok(first.to_vec()), Ok(second.to_vec())]).await;
        assert_eq!(unwrapped(events), ["a", "b"], "split at {at}");
    }
    let bytes = lines.iter().map(|byte| Ok(vec![*byte])).collect();
    assert_eq!(unwrapped(names(bytes).await), ["a", "b"]);
}

#[tokio::test]
async fn lines_of_any_length_are_read_after_one_another() {
    let long = |name: &str| {
        let mut secret = secret(name);
        secret["metadata"]["annotations"]["note"] = json!("x".repeat(1 << 20));
        line("ADDED", &secret)
    };
    let lines = [long("a"), line("ADDED", &secret("b")), long("c")].concat();
    let chunks = lines.chunks(10_000).map(|chunk| Ok(chunk.to_vec()));
    assert_eq!(unwrapped(names(chunks.collect()).await), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_connection_that_is_cut_off_ends_the_watch_without_an_error() {
    let half = |line: Vec<u8>| Ok(line[..line.len() / 2].to_vec());
    let whole = || Ok(line("ADDED", &secret("a")));
    for cut in [
        vec![],
        vec![half(line("ADDED", &secret("b")))],
        vec![Err(io::ErrorKind::UnexpectedEof)],
        vec![Err(io::ErrorKind::TimedOut)],
        vec![
            half(line("ADDED", &secret("b"))),
            Err(io::ErrorKind::UnexpectedEof),
        ],
    ] {
        let chunks = std::iter::once(whole()).chain(cut).collect();
        assert_eq!(unwrapped(names(chunks).await), ["a"]);
    }
}

#[tokio::test]
async fn any_other_end_is_an_error() {
    let chunks = vec![
        Ok(line("ADDED", &secret("a"))),
        Err(io::ErrorKind::ConnectionReset),
    ];
    let events = names(chunks).await;
    assert!(events[0].is_ok());
    assert!(
        matches!(events[1], Err(kube::Error::ReadEvents(_))),
        "{events:?}"
    );
}

#[tokio::test]
async fn an_undecodable_line_is_an_error_and_the_rest_is_read() {
    let invalid = b"{\"type\":\"ADDED\",\"object\":{}}\n".to_vec();
    let events = names(vec![Ok(invalid), Ok(line("ADDED", &secret("a")))]).await;
    assert!(
        matches!(events[0], Err(kube::Error::SerdeError(_))),
        "{events:?}"
    );
    assert!(events[1].is_ok());
}

#[tokio::test]
async fn a_status_instead_of_an_event_is_an_error_of_the_api_server() {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 500,
        "status": "Failure", "message": "etcd is away", "reason": "InternalError" });
    let events = names(vec![Ok(format!("{status}\n").into_bytes())]).await;
    let Err(kube::Error::Api(status)) = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!(
        (status.code, status.message.as_str()),
        (500, "etcd is away")
    );
}

#[tokio::test]
async fn a_watch_that_is_refused_does_not_begin() {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 410,
        "status": "Failure", "message": "too old", "reason": "Expired" });
    let body = vec![Ok(status.to_string().into_bytes())];
    let (events, ..) = watch_events::<PartialMeta>(StatusCode::GONE, body).await;
    let Err(kube::Error::Api(status)) = events else {
        panic!("it began");
    };
    assert_eq!(status.code, 410);
}

#[tokio::test]
async fn of_secrets_only_metadata_is_requested_and_nothing_is_compressed() {
    let (_, headers, uri) = watch_events::<PartialMeta>(StatusCode::OK, Vec::new()).await;
    assert_eq!(headers[ACCEPT_ENCODING], "identity");
    assert!(
        headers[ACCEPT]
            .to_str()
            .unwrap()
            .contains("as=PartialObjectMetadata")
    );
    assert!(uri.starts_with("/api/v1/namespaces/shop/secrets?"), "{uri}");
    assert!(
        uri.contains("watch=true") && uri.contains("resourceVersion=4711"),
        "{uri}"
    );
    let (_, headers, uri) = watch_events::<WatchedCredentials>(StatusCode::OK, Vec::new()).await;
    assert_eq!(headers[ACCEPT_ENCODING], "identity");
    assert!(!headers.contains_key(ACCEPT));
    assert!(
        uri.contains("/namespaces/shop/staticawscredentials?"),
        "{uri}"
    );
}
