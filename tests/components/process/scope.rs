//! One scope against a fake API server, on a paused clock.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::{
    Request, Response,
    body::{Bytes, Frame},
};
use kube::{Client, client::Body};
use serde_json::json;
use static_aws_credentials::{
    ops::{health::Health, metrics::Format},
    runtime::{
        context::ProcessContext,
        controller::{self, WatchEnded},
    },
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};
use tower::service_fn;

use super::{
    api_server::{Frames, bookmark, event},
    shared::shared,
};

/// Behaviour of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Requests are answered.
    Answers,
    /// Watches end with an expiry; after that, requests are accepted and never answered.
    Hangs,
    /// Reading a watch panics.
    Panics,
}

/// A scope and its API server.
struct TestScope {
    mood: watch::Sender<Mood>,
    asked: Arc<AtomicUsize>,
    shared: Arc<ProcessContext>,
    health: Arc<Health>,
}

/// The next event of a watch: a bookmark every 40 s, or the failure that `mood` selects.
async fn next(mut mood: watch::Receiver<Mood>) -> Frame<Bytes> {
    tokio::select! {
        () = sleep(Duration::from_secs(40)) => return bookmark(false),
        _ = mood.wait_for(|mood| *mood != Mood::Answers) => {}
    }
    assert_ne!(*mood.borrow(), Mood::Panics, "AKIAIOSFODNN7EXAMPLE");
    let expired = json!({ "kind": "Status", "status": "Failure", "code": 410, "message": "gone" });
    event("ERROR", &expired)
}

async fn answer(
    request: Request<Body>,
    mut mood: watch::Receiver<Mood>,
) -> Response<StreamBody<Frames>> {
    let _ = mood.wait_for(|mood| *mood != Mood::Hangs).await;
    let query = request.uri().query().unwrap_or_default();
    let frames: Frames = if query.contains("watch=") {
        let first = bookmark(query.contains("sendInitialEvents"));
        let more = stream::unfold(mood, async |mood| {
            Some((Ok(next(mood.clone()).await), mood))
        });
        stream::iter([Ok(first)]).chain(more).boxed()
    } else {
        let list = json!({ "metadata": { "resourceVersion": "7" }, "items": [] });
        let list = Frame::data(Bytes::from(list.to_string()));
        stream::iter([Ok(list)]).boxed()
    };
    Response::new(StreamBody::new(frames))
}

impl TestScope {
    fn new() -> Self {
        let (mood, asked) = (
            watch::Sender::new(Mood::Answers),
            Arc::<AtomicUsize>::default(),
        );
        let (moods, count) = (mood.subscribe(), Arc::clone(&asked));
        let service = service_fn(move |request| {
            count.fetch_add(1, Ordering::SeqCst);
            let mood = moods.clone();
            async move { Ok::<_, Infallible>(answer(request, mood).await) }
        });
        let shared = Arc::new(shared(Client::new(service, "shop")));
        Self {
            mood,
            asked,
            shared,
            health: Arc::default(),
        }
    }

    async fn run(&self) -> Result<(), WatchEnded> {
        let (shared, health) = (Arc::clone(&self.shared), Arc::clone(&self.health));
        controller::run(shared, health, vec![None], futures::future::pending()).await
    }

    async fn until_ready(&self) {
        for _ in 0..600 {
            if self.health.problems().is_empty() {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("{}", self.health.problems());
    }

    /// Seconds since the last answer of the API server, by kind.
    fn ages(&self) -> Vec<f64> {
        let text: String = self.shared.metrics.pages(Format::Plain).collect();
        let lines = text.lines();
        let ages = lines.filter(|line| line.starts_with("staticawscredentials_watch_age_seconds{"));
        ages.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect()
    }

    async fn one_that_hangs(&self) {
        self.until_ready().await;
        let silent = Instant::now();
        self.mood.send_replace(Mood::Hangs);
        let asked = self.asked.load(Ordering::SeqCst);
        sleep_until(silent + Duration::from_mins(1)).await;
        for second in 60..600 {
            sleep_until(silent + Duration::from_secs(second)).await;
            let problems = self.health.problems();
            for kind in ["StaticAwsCredentials", "Secrets"] {
                let words = format!("the watch of {kind} in all namespaces fails");
                assert!(problems.contains(&words), "after {second} s: {problems}");
            }
            let ages = self.ages();
            // Resources, Secrets and classes.
            assert_eq!(ages.len(), 3);
            let floor = u32::try_from(second).unwrap() - 1;
            assert!(
                ages.iter().all(|age| *age >= f64::from(floor)),
                "{second}: {ages:?}"
            );
        }
        let asked = self.asked.load(Ordering::SeqCst) - asked;
        assert!(asked >= 10, "it was asked {asked} times more");
        self.mood.send_replace(Mood::Answers);
        self.until_ready().await;
        assert!(self.ages().iter().all(|age| *age < 60.0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_accepts_and_does_not_answer_is_a_failure_until_it_answers() {
    let test_scope = TestScope::new();
    tokio::select! {
        result = test_scope.run() => panic!("{result:?}"),
        () = test_scope.one_that_hangs() => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_panics_ends_the_scope() {
    let test_scope = TestScope::new();
    let (result, ()) = tokio::join!(test_scope.run(), async {
        test_scope.until_ready().await;
        test_scope.mood.send_replace(Mood::Panics);
    });
    assert!(result.is_err());
}
