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
    time::Duration,
};

use crate::{
    domain::index::NamespacedName,
    runtime::events::{EventQueue, EventRequest, MAX_QUEUED, RECORDER_CAPACITY, event, publish},
};
use futures::FutureExt;
use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode};
use kube::{Client, client::Body};
use prometheus_client::metrics::counter::Counter;
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};
use tower::service_fn;

type Sent = Arc<Mutex<Vec<(Method, String, Value)>>>;

/// An API server that accepts every event, except those about objects with these names: "refused", "no-namespace" (the
/// namespace is gone), "down" (always unavailable), "busy" (unavailable twice), "deleted" (an event that is patched is
/// gone).
fn api_server() -> (Client, Sent) {
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let service = service_fn(move |request: Request<Body>| {
        let log = Arc::clone(&log);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let event: Value = serde_json::from_slice(&body).unwrap();
            let path = head.uri.path().to_owned();
            let mut log = log.lock().unwrap();
            log.push((head.method.clone(), path, event.clone()));
            let about = |(_, _, other): &&(_, _, Value)| other["regarding"] == event["regarding"];
            let attempts = || log.iter().filter(about).count();
            let code = match event["regarding"]["name"].as_str() {
                Some("refused") => 403,
                Some("no-namespace") => 404,
                Some("down") => 503,
                Some("busy") if attempts() <= 2 => 503,
                Some("deleted") if head.method == Method::PATCH => 404,
                _ => 201,
            };
            let body = if code == 201 {
                body.to_vec()
            } else {
                let status = json!({ "kind": "Status", "code": code, "reason": "Test",
                    "message": "no", "status": "Failure" });
                status.to_string().into_bytes()
            };
            let response = Response::builder().status(StatusCode::from_u16(code).unwrap());
            Ok::<_, Infallible>(response.body(Body::from(body)).unwrap())
        }
    });
    (Client::new(service, "shop"), sent)
}

fn about(name: &str) -> EventRequest {
    about_in("shop", name)
}

fn about_in(namespace: &str, name: &str) -> EventRequest {
    let uid = format!("uid-of-{name}").into();
    let key = NamespacedName::new(namespace, name);
    EventRequest::new(&key, uid, event("True", "Published", "it holds the pair"))
}

/// Requests that are sent for events about these objects, in this order.
async fn sent(names: impl IntoIterator<Item = String>) -> Vec<(Method, String, Value)> {
    let (client, sent) = api_server();
    let queue = EventQueue::default();
    for name in names {
        queue.add(about(&name));
    }
    publish(client, &queue, || false, ready(())).await;
    std::mem::take(&mut *sent.lock().unwrap())
}

#[tokio::test]
async fn a_repeated_event_is_counted() {
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
async fn the_recorder_does_not_keep_all_events_of_a_burst() {
    let names = (0..RECORDER_CAPACITY).map(|number| format!("orders-{number}"));
    let sent = sent(names.chain(["orders-0".to_owned(), "orders-0".to_owned()])).await;
    assert_eq!(sent.len(), RECORDER_CAPACITY + 2);
    let (last, before) = (&sent[RECORDER_CAPACITY + 1], &sent[RECORDER_CAPACITY]);
    assert_eq!(before.0, Method::POST, "it was remembered");
    assert_eq!(last.0, Method::PATCH, "nothing is remembered");
}

#[tokio::test]
async fn a_refused_event_does_not_hold_up_the_others() {
    let sent = sent(["refused", "orders"].map(str::to_owned)).await;
    assert_eq!(sent[1].2["regarding"]["name"], "orders");
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn the_events_of_the_last_reconciles_are_published_at_the_end() {
    let (client, sent) = api_server();
    let queue = EventQueue::default();
    let (end, ended) = oneshot::channel::<()>();
    let publishing = publish(client, &queue, || false, ended.map(drop));
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
    for number in 0..2 * MAX_QUEUED {
        queue.add(about_in("flood", &format!("orders-{number}")));
    }
    queue.add(about_in("small", "last"));
    assert_eq!(lost.get(), u64::try_from(MAX_QUEUED + 2).unwrap());
    publish(client, &queue, || false, ready(())).await;
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    assert_eq!(sent.len(), MAX_QUEUED);
    let at = |name: &str| {
        sent.iter()
            .position(|one| one.2["regarding"]["name"] == name)
    };
    assert!(at("first").is_some_and(|at| at < 2), "{:?}", at("first"));
    assert!(at("last").is_some_and(|at| at < 4), "{:?}", at("last"));
    let newest = format!("orders-{}", 2 * MAX_QUEUED - 1);
    assert!(at(&newest).is_some(), "the oldest events are dropped");
}

/// No event is lost by the pace.
#[tokio::test(start_paused = true)]
async fn events_are_slow_while_reconciles_wait_and_fast_afterwards() {
    let lost = Counter::default();
    let queue = EventQueue::new(lost.clone());
    for number in 0..1000 {
        queue.add(about(&format!("orders-{number}")));
    }
    let (client, sent) = api_server();
    let began = Instant::now();
    let is_busy = || began.elapsed() < Duration::from_secs(4);
    let publishing = publish(client, &queue, is_busy, sleep(Duration::from_mins(1)));
    let checking = async {
        sleep(Duration::from_millis(3990)).await;
        let in_burst = sent.lock().unwrap().len();
        assert!((90..=100).contains(&in_burst), "{in_burst} in the burst");
        sleep(Duration::from_millis(100)).await;
        assert_eq!(sent.lock().unwrap().len(), 1000);
    };
    tokio::join!(publishing, checking);
    assert_eq!(lost.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_repeated_while_the_api_server_is_restarted() {
    let began = Instant::now();
    let lost = Counter::default();
    let queue = EventQueue::new(lost.clone());
    queue.add(about("busy"));
    let (client, sent) = api_server();
    let publishing = publish(client, &queue, || false, sleep(Duration::from_mins(1)));
    let checking = async {
        for (seconds, attempts) in [(0.5, 1), (1.5, 2), (2.5, 2), (3.5, 3), (50.0, 3)] {
            sleep_until(began + Duration::from_secs_f64(seconds)).await;
            assert_eq!(sent.lock().unwrap().len(), attempts, "after {seconds} s");
        }
    };
    tokio::join!(publishing, checking);
    assert_eq!(lost.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_never_accepted_is_given_up_and_the_others_follow() {
    let lost = Counter::default();
    let queue = EventQueue::new(lost.clone());
    queue.add(about("down"));
    queue.add(about("orders"));
    let (client, sent) = api_server();
    publish(client, &queue, || false, ready(())).await;
    let sent = sent.lock().unwrap();
    assert_eq!((sent.len(), lost.get()), (6, 1));
    assert_eq!(sent[5].2["regarding"]["name"], "orders");
}

#[tokio::test]
async fn a_repeated_event_whose_first_one_was_deleted_is_a_new_one() {
    let sent = sent(["deleted", "deleted"].map(str::to_owned)).await;
    let methods: Vec<Method> = sent.into_iter().map(|(method, ..)| method).collect();
    assert_eq!(methods, [Method::POST, Method::PATCH, Method::POST]);
}

#[tokio::test]
async fn an_event_in_a_namespace_that_is_gone_is_tried_twice() {
    assert_eq!(sent(["no-namespace".to_owned()]).await.len(), 2);
}

#[tokio::test]
async fn an_event_that_the_api_server_refuses_is_counted_as_lost() {
    let lost = Counter::default();
    let queue = EventQueue::new(lost.clone());
    queue.add(about("refused"));
    queue.add(about("orders"));
    publish(api_server().0, &queue, || false, ready(())).await;
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
