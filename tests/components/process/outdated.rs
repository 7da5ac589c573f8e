//! The metrics of a standby that the API server stops to answer, on a paused clock.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::{StreamExt, future::pending, stream};
use http_body_util::StreamBody;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame},
};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use static_aws_credentials::{
    ops::metrics::Format,
    runtime::{context::ProcessContext, controller, leader::Candidate},
};
use tokio::{sync::watch, time::sleep};
use tower::service_fn;

use crate::process::{
    scope::{Frames, bookmark, event},
    shared::shared,
};

fn resource() -> Value {
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
        "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
        "status": { "conditions": [{
            "type": "Ready", "status": "False", "reason": "SourceNotFound", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }] },
    })
}

/// Whether the API server answers.
type Answers = watch::Sender<bool>;

async fn answer(
    request: Request<Body>,
    mut answers: watch::Receiver<bool>,
) -> Response<StreamBody<Frames>> {
    let _ = answers.wait_for(|answers| *answers).await;
    let (path, query) = (
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
    );
    let is_initial = query.contains("sendInitialEvents");
    let is_of_resources = path.ends_with("/staticawscredentials");
    let mut code = StatusCode::OK;
    let frames: Frames = if query.contains("watch=") {
        let there = (is_initial && is_of_resources).then(|| event("ADDED", &resource()));
        let first: Vec<_> = there.into_iter().chain([bookmark(is_initial)]).collect();
        let first = stream::iter(first.into_iter().map(Ok));
        first.chain(stream::pending()).boxed()
    } else if query.contains("limit=") {
        let list = json!({ "metadata": { "resourceVersion": "7" }, "items": [] });
        stream::iter([Ok(Frame::data(Bytes::from(list.to_string())))]).boxed()
    } else {
        code = StatusCode::NOT_FOUND;
        let status = json!({ "kind": "Status", "status": "Failure", "code": 404, "message": "" });
        stream::iter([Ok(Frame::data(Bytes::from(status.to_string())))]).boxed()
    };
    let mut response = Response::new(StreamBody::new(frames));
    *response.status_mut() = code;
    response
}

/// The series of single resources.
fn series(shared: &ProcessContext) -> usize {
    let text: String = shared.metrics.pages(Format::Plain).collect();
    let lines = text.lines();
    lines
        .filter(|line| line.contains("{namespace=\"shop\",name=\"orders\""))
        .count()
}

async fn cut_off(shared: &ProcessContext, answers: &Answers) {
    sleep(Duration::from_mins(30)).await;
    let all = series(shared);
    assert!(all > 0);
    answers.send_replace(false);
    sleep(Duration::from_mins(14)).await;
    assert_eq!(series(shared), all);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(series(shared), 0);
    answers.send_replace(true);
    sleep(Duration::from_mins(5)).await;
    assert_eq!(series(shared), all);
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_is_cut_off_serves_no_series_of_resources_until_it_is_back() {
    let answers = Answers::new(true);
    let answering = answers.subscribe();
    let service = service_fn(move |request| {
        let answers = answering.clone();
        async move { Ok::<_, Infallible>(answer(request, answers).await) }
    });
    let client = Client::new(service, "shop");
    // A candidate that does not run never leads.
    let (candidate, leader) =
        Candidate::new(client.clone(), "shop", "lease".to_owned(), "me".to_owned());
    let shared = Arc::new(ProcessContext {
        leader,
        ..shared(client)
    });
    let process = Arc::clone(&shared);
    tokio::select! {
        result = controller::run(shared, Arc::default(), None, pending()) => panic!("{result:?}"),
        () = cut_off(&process, &answers) => {}
    }
    drop(candidate);
}
