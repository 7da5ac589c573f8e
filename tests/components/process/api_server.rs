//! Parts of a fake API server: the resource that it serves, events of watches, and responses.

use std::{io, pin::Pin};

use futures::{Stream, StreamExt, stream};
use http_body_util::StreamBody;
use hyper::{
    Response, StatusCode,
    body::{Bytes, Frame},
};
use serde_json::{Value, json};

pub type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, io::Error>> + Send>>;

/// The resource `orders` of the namespace `shop`.
pub fn resource(spec: &Value, status: &Value) -> Value {
    json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": {
            "name": "orders",
            "namespace": "shop",
            "uid": "7e500000-0000-4000-8000-000000000001",
            "resourceVersion": "5",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec,
        "status": status,
    })
}

pub fn event(kind: &str, object: &Value) -> Frame<Bytes> {
    let line = json!({ "type": kind, "object": object }).to_string() + "\n";
    Frame::data(Bytes::from(line))
}

pub fn bookmark(ends_list: bool) -> Frame<Bytes> {
    let annotations = if ends_list {
        json!({ "k8s.io/initial-events-end": "true" })
    } else {
        json!({})
    };
    let metadata = json!({ "resourceVersion": "7", "annotations": annotations });
    let bookmark = json!({ "kind": "Secret", "apiVersion": "v1", "metadata": metadata });
    event("BOOKMARK", &bookmark)
}

/// The response to a watch. An initial list has the object, if any; no event follows.
pub fn watched(query: &str, object: Option<&Value>) -> Response<StreamBody<Frames>> {
    let initial = query.contains("sendInitialEvents");
    let listed = object.filter(|_| initial);
    let first = listed.into_iter().map(|object| event("ADDED", object));
    let first: Vec<_> = first.chain([bookmark(initial)]).map(Ok).collect();
    Response::new(StreamBody::new(
        stream::iter(first).chain(stream::pending()).boxed(),
    ))
}

pub fn answered(code: StatusCode, body: &Value) -> Response<StreamBody<Frames>> {
    let frame = Frame::data(Bytes::from(body.to_string()));
    let mut response = Response::new(StreamBody::new(stream::iter([Ok(frame)]).boxed()));
    *response.status_mut() = code;
    response
}

pub fn refused(code: u16, reason: &str) -> Response<StreamBody<Frames>> {
    let status = json!({ "kind": "Status", "status": "Failure", "code": code, "reason": reason,
        "message": reason });
    answered(StatusCode::from_u16(code).unwrap(), &status)
}
