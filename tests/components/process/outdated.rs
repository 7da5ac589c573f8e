//! The metrics of a standby that the API server stops to answer, on a paused clock.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::future::pending;
use http_body_util::StreamBody;
use hyper::{Request, Response, StatusCode};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use static_aws_credentials::{
    ops::metrics::Format,
    runtime::{context::ProcessContext, controller},
};
use tokio::{sync::watch, time::sleep};
use tower::service_fn;

use super::{
    api_server::{self, Frames, answered, refused, watched},
    shared::elected,
};

fn resource() -> Value {
    let ready = json!({
        "type": "Ready", "status": "False", "reason": "SourceNotFound", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    api_server::resource(
        &json!({ "secretRef": { "name": "pair" }, "region": "eu-west-1" }),
        &json!({ "conditions": [ready] }),
    )
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
    if query.contains("watch=") {
        let is_of_resources = path.ends_with("/staticawscredentials");
        watched(query, is_of_resources.then(resource).as_ref())
    } else if query.contains("limit=") {
        let list = json!({ "metadata": { "resourceVersion": "7" }, "items": [] });
        answered(StatusCode::OK, &list)
    } else {
        refused(404, "NotFound")
    }
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
    let (candidate, shared) = elected(client);
    let process = Arc::clone(&shared);
    tokio::select! {
        result = controller::run(shared, Arc::default(), vec![None], pending()) => panic!("{result:?}"),
        () = cut_off(&process, &answers) => {}
    }
    drop(candidate);
}
