//! A namespace with many resources beside one with a single resource, on a paused clock.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame},
};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use static_aws_credentials::{
    ops::metrics::Metrics,
    runtime::{context::ProcessContext, controller, queue::WorkQueue},
};
use tokio::{
    sync::broadcast,
    time::{Instant, sleep},
};
use tower::service_fn;

use super::{
    api_server::{Frames, bookmark, event},
    shared::shared,
};

const PERMITS: usize = 16;
/// Duration of a read in the large namespace, and of its pause in favour of the single resource.
const READ: Duration = Duration::from_millis(100);
const MANY: &str = "burst";
const SINGLE: &str = "shop";
const RESOURCES: usize = 280;

/// An API server whose Secrets change on the test's command.
#[derive(Clone)]
struct Server {
    changes: broadcast::Sender<Value>,
    reads: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Server {
    async fn answer(&self, request: Request<Body>) -> Response<StreamBody<Frames>> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default();
        if query.contains("watch=") {
            let secrets = path.ends_with("/secrets");
            return self.watch(secrets, query.contains("sendInitialEvents"));
        }
        let namespace = path.split('/').nth(4).unwrap_or_default();
        if path.ends_with("/secrets/pair") {
            let read = (namespace.to_owned(), Instant::now());
            self.reads.lock().unwrap().push(read);
            if namespace == MANY {
                sleep(READ).await;
            }
        }
        let failure = json!({ "kind": "Status", "status": "Failure", "code": 503, "reason": "" });
        let frame = Frame::data(Bytes::from(failure.to_string()));
        let mut response = Response::new(StreamBody::new(stream::iter([Ok(frame)]).boxed()));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    }

    fn watch(&self, secrets: bool, initial: bool) -> Response<StreamBody<Frames>> {
        let there = match (initial, secrets) {
            (false, _) => Vec::new(),
            (true, true) => [MANY, SINGLE].map(|at| secret(at, 3)).to_vec(),
            (true, false) => resources(),
        };
        let first = there.into_iter().map(|object| event("ADDED", &object));
        let first: Vec<_> = first.chain([bookmark(initial)]).map(Ok).collect();
        let changes = stream::unfold(self.changes.subscribe(), async |mut changes| {
            let object = changes.recv().await.ok()?;
            Some((Ok(event("MODIFIED", &object)), changes))
        });
        let changes: Frames = if secrets && !initial {
            changes.boxed()
        } else {
            stream::pending().boxed()
        };
        Response::new(StreamBody::new(stream::iter(first).chain(changes).boxed()))
    }

    fn reads(&self, namespace: &str, from: Instant, until: Instant) -> usize {
        let reads = self.reads.lock().unwrap();
        let of =
            |(at, time): &&(String, Instant)| at == namespace && *time >= from && *time < until;
        reads.iter().filter(of).count()
    }

    async fn changes(&self) {
        let mut version = 10;
        let mut touch = |namespace| {
            version += 1;
            self.changes.send(secret(namespace, version)).unwrap();
        };
        // Every resource is reconciled once at the start.
        sleep(Duration::from_secs(20)).await;
        for _ in 0..4 {
            touch(MANY);
            // The first reconciles of a burst still keep back, if the single resource was among the last ones before.
            sleep(Duration::from_millis(1_050)).await;
            let came = Instant::now();
            touch(SINGLE);
            sleep(Duration::from_secs(20)).await;
            assert!(
                self.reads(SINGLE, came, came + READ) > 0,
                "the single one waits"
            );
            let before = self.reads(MANY, came - READ, came);
            let after = self.reads(MANY, came, came + READ);
            assert!(
                before >= PERMITS / 2,
                "{before}: there was no work for the many"
            );
            assert!(after <= PERMITS / 8 + 1, "{after} after, {before} before");
        }
    }
}

fn secret(namespace: &str, version: u64) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": {
            "name": "pair",
            "namespace": namespace,
            "uid": format!("5ec2e700-0000-4000-8000-{:012}", namespace.len()),
            "resourceVersion": version.to_string(),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
    })
}

fn resources() -> Vec<Value> {
    let many = (0..RESOURCES).map(|number| (MANY, number));
    let all = many.chain([(SINGLE, RESOURCES)]);
    let resource = |(namespace, number): (&str, usize)| {
        json!({
            "apiVersion": "awscredentials.dev/v1alpha1",
            "kind": "StaticAwsCredentials",
            "metadata": {
                "name": format!("of-{number}"),
                "namespace": namespace,
                "uid": format!("7e500000-0000-4000-8000-{number:012}"),
                "resourceVersion": "5",
                "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
        })
    };
    all.map(resource).collect()
}

#[tokio::test(start_paused = true)]
async fn many_resources_of_a_namespace_keep_back_while_a_single_one_is_served() {
    let server = Server {
        changes: broadcast::Sender::new(16),
        reads: Arc::default(),
    };
    let service = service_fn({
        let server = server.clone();
        move |request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        }
    });
    let shared = Arc::new(ProcessContext {
        queue: WorkQueue::new(PERMITS, Metrics::default().queue),
        ..shared(Client::new(service, SINGLE))
    });
    let never = futures::future::pending();
    tokio::select! {
        result = controller::run(shared, Arc::default(), vec![None], never) => panic!("{result:?}"),
        () = server.changes() => {}
    }
}
