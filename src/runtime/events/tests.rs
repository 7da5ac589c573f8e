//! Events are published one after the other, a repeated event is counted, and the memory of a burst is bounded.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex},
};

use crate::runtime::events::{EventQueue, EventRequest, MOST, REMEMBERED, event, publish};
use futures::FutureExt;
use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Client, client::Body};
use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::service_fn;

type Sent = Arc<Mutex<Vec<(Method, String, Value)>>>;

/// An API server that accepts every event, except those about an object named "refused".
fn api_server() -> (Client, Sent) {
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let service = service_fn(move |request: Request<Body>| {
        let log = Arc::clone(&log);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let event: Value = serde_json::from_slice(&body).unwrap();
            let refused = event["regarding"]["name"] == "refused";
            let path = head.uri.path().to_owned();
            log.lock().unwrap().push((head.method, path, event));
            let answer = if refused {
                let status = json!({ "kind": "Status", "code": 403, "reason": "Forbidden",
                    "message": "no", "status": "Failure" });
                (
                    StatusCode::FORBIDDEN,
                    Body::from(status.to_string().into_bytes()),
                )
            } else {
                (StatusCode::CREATED, Body::from(body.to_vec()))
            };
            let response = Response::builder().status(answer.0).body(answer.1);
            Ok::<_, Infallible>(response.unwrap())
        }
    });
    (Client::new(service, "shop"), sent)
}

fn about(name: &str) -> EventRequest {
    about_in("shop", name)
}

fn about_in(namespace: &str, name: &str) -> EventRequest {
    let about = ObjectReference {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        uid: Some(format!("uid-of-{name}")),
        ..ObjectReference::default()
    };
    EventRequest::about_reference(about, event("True", "Published", "it holds the pair"))
}

/// Requests that are sent for events about these objects, in this order.
async fn sent(names: impl IntoIterator<Item = String>) -> Vec<(Method, String, Value)> {
    let (client, sent) = api_server();
    let queue = EventQueue::default();
    for name in names {
        queue.add(about(&name));
    }
    publish(client, &queue, ready(())).await;
    std::mem::take(&mut *sent.lock().unwrap())
}

#[tokio::test]
async fn an_event_that_comes_again_is_counted() {
    let sent = sent(["orders", "billing", "orders"].map(str::to_owned)).await;
    let methods = [Method::POST, Method::POST, Method::PATCH];
    assert_eq!(
        sent.iter()
            .map(|(method, ..)| method.clone())
            .collect::<Vec<_>>(),
        methods
    );
    let (first, again) = (&sent[0], &sent[2]);
    assert_eq!(first.1, "/apis/events.k8s.io/v1/namespaces/shop/events");
    assert_eq!(first.2["reason"], "Published");
    assert_eq!(first.2["type"], "Normal");
    let name = first.2["metadata"]["name"].as_str().unwrap();
    assert_eq!(again.1, format!("{}/{name}", first.1));
    assert_eq!(again.2["series"]["count"], 2);
}

#[tokio::test]
async fn those_of_a_burst_are_not_all_remembered() {
    let names = (0..REMEMBERED).map(|number| format!("orders-{number}"));
    let sent = sent(names.chain(["orders-0".to_owned(), "orders-0".to_owned()])).await;
    assert_eq!(sent.len(), REMEMBERED + 2);
    let (last, before) = (&sent[REMEMBERED + 1], &sent[REMEMBERED]);
    assert_eq!(before.0, Method::POST, "it was remembered");
    assert_eq!(last.0, Method::PATCH, "nothing is remembered");
}

#[tokio::test]
async fn one_that_is_refused_does_not_hold_up_the_others() {
    let sent = sent(["refused", "orders"].map(str::to_owned)).await;
    assert_eq!(sent[1].2["regarding"]["name"], "orders");
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn those_of_the_last_runs_are_published_at_the_end() {
    let (client, sent) = api_server();
    let queue = EventQueue::default();
    let (end, ended) = oneshot::channel::<()>();
    let publishing = publish(client, &queue, ended.map(drop));
    let ending = async {
        for name in ["orders", "billing", "shipping"] {
            queue.add(about(name));
        }
        drop(end);
    };
    tokio::join!(publishing, ending);
    assert_eq!(sent.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_flood_of_one_namespace_takes_no_event_and_no_turn_from_another() {
    let (client, sent) = api_server();
    let lost = Counter::default();
    let queue = EventQueue::new(lost.clone());
    queue.add(about_in("small", "first"));
    for number in 0..2 * MOST {
        queue.add(about_in("flood", &format!("orders-{number}")));
    }
    queue.add(about_in("small", "last"));
    assert_eq!(lost.get(), u64::try_from(MOST + 2).unwrap());
    publish(client, &queue, ready(())).await;
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    assert_eq!(sent.len(), MOST);
    let at = |name: &str| {
        sent.iter()
            .position(|one| one.2["regarding"]["name"] == name)
    };
    assert!(at("first").is_some_and(|at| at < 2), "{:?}", at("first"));
    assert!(at("last").is_some_and(|at| at < 4), "{:?}", at("last"));
    let newest = format!("orders-{}", 2 * MOST - 1);
    assert!(at(&newest).is_some(), "the oldest events are dropped");
}

#[tokio::test]
async fn an_event_that_the_api_server_refuses_is_counted_as_lost() {
    let lost = Counter::default();
    let queue = EventQueue::new(lost.clone());
    queue.add(about("refused"));
    queue.add(about("orders"));
    publish(api_server().0, &queue, ready(())).await;
    assert_eq!(lost.get(), 1);
}

/// The API server limits the bytes of a note, and rejects a longer one.
#[test]
fn a_note_has_at_most_1024_bytes_and_whole_characters() {
    for (sign, length) in [("a", 5000), ("é", 1020), ("\u{1F511}", 300)] {
        let note = event("False", "TargetConflict", &sign.repeat(length))
            .note
            .unwrap();
        assert!(note.len() <= 1024 && note.len() > 1000, "{}", note.len());
        assert!(note.ends_with("..."));
        assert!(
            note.trim_end_matches('.')
                .chars()
                .all(|own| sign.contains(own))
        );
    }
    let note = "a".repeat(1024);
    assert_eq!(event("True", "Published", &note).note, Some(note));
}
