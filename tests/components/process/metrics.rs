//! `/metrics`, on a paused clock and without a network.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use futures::future::join_all;
use http_body_util::BodyExt;
use kube::Client;
use static_aws_credentials::{
    cli::server,
    domain::index::NamespacedName,
    ops::{health::Health, metrics::Summary},
};
use tokio::time::Instant;
use tower::{ServiceExt, service_fn};

use super::{known::Known, shared::shared};

/// Resources, and the number of listings that began at the first resource.
#[derive(Default)]
struct Counted {
    known: Known,
    begun: AtomicUsize,
}

impl Counted {
    /// Each rendering lists the resources four times, once per family.
    fn renderings(&self) -> usize {
        self.begun.load(Ordering::SeqCst) / 4
    }

    fn page(&self, last: Option<&NamespacedName>, most: usize) -> Vec<(NamespacedName, Summary)> {
        if last.is_none() {
            self.begun.fetch_add(1, Ordering::SeqCst);
        }
        self.known.page(last, most)
    }
}

fn router() -> (Router, Arc<Counted>) {
    let nobody = service_fn(async |_: Request<kube::client::Body>| {
        Ok::<_, Infallible>(hyper::Response::new(kube::client::Body::empty()))
    });
    let shared = Arc::new(shared(Client::new(nobody, "shop")));
    let counted = Arc::<Counted>::default();
    let listed = Arc::clone(&counted);
    let resources = &shared.metrics.resources;
    resources.add(move |last, most| listed.page(last, most));
    let health = Arc::<Health>::default();
    (server::all(shared, health, None), counted)
}

/// Status and body of the answer.
async fn scrape(router: &Router) -> (u16, String) {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(text.to_vec()).unwrap())
}

fn add(counted: &Counted, name: &str) {
    let status = serde_json::json!({ "published": {
        "secretName": "pair", "uid": "u", "resourceVersion": "1", "keyIdSuffix": "QUA5",
        "revision": 7, "time": "2026-01-01T00:00:00Z",
    }});
    let status = serde_json::from_value(status).unwrap();
    counted
        .known
        .saw(&NamespacedName::new("shop", name), Some(&status));
}

#[tokio::test(start_paused = true)]
async fn the_text_is_begun_after_the_request() {
    let (router, counted) = router();
    let published = |name: &str| {
        format!("staticawscredentials_published_revision{{namespace=\"shop\",name=\"{name}\"}} 7\n")
    };
    for name in ["orders", "billing", "shipping"] {
        add(&counted, name);
        let (status, text) = scrape(&router).await;
        assert_eq!(status, 200);
        assert!(text.contains(&published(name)), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_is_made_once_a_second_for_all_who_wait_for_it() {
    let (router, counted) = router();
    scrape(&router).await;
    let began = Instant::now();
    for round in 1..=10 {
        let answers = join_all((0..8).map(|_| scrape(&router))).await;
        let first = answers.first().unwrap();
        assert!(answers.iter().all(|answer| answer == first));
        assert_eq!(first.0, 200);
        assert_eq!(counted.renderings(), 1 + round);
    }
    assert!(began.elapsed() >= Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn more_than_eight_at_once_are_told_to_come_later() {
    let (router, counted) = router();
    scrape(&router).await;
    let answers = join_all((0..30).map(|_| scrape(&router))).await;
    let busy = answers.iter().filter(|(status, _)| *status == 503);
    assert_eq!(busy.count(), 22);
    assert_eq!(counted.renderings(), 2);
    assert_eq!(scrape(&router).await.0, 200, "the places are free again");
}

#[tokio::test(start_paused = true)]
async fn a_text_of_many_pages_is_whole() {
    let (router, counted) = router();
    for number in 0..1200 {
        add(&counted, &format!("orders-{number}"));
    }
    let (_, text) = scrape(&router).await;
    let lines = text.lines();
    let published =
        lines.filter(|line| line.starts_with("staticawscredentials_published_revision{"));
    assert_eq!(published.count(), 1200);
}
