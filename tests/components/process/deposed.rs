//! A replica that loses the lease between its decision and its write, on a paused clock.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::pending;
use http_body_util::{BodyExt, StreamBody};
use hyper::{Method, Request, Response, StatusCode};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use static_aws_credentials::runtime::controller;
use tokio::time::sleep;
use tower::service_fn;

use super::{
    api_server::{self, Frames, answered, refused, watched},
    shared::elected,
};

/// An API server with a resource whose target is gone. The operator asks by a dry run whether it knows the present
/// resource before it restores the target.
#[derive(Clone)]
struct Server {
    /// How long the answer to the dry run takes. The lease is not renewed meanwhile.
    dry_run: Duration,
    asked: Arc<AtomicBool>,
    written: Arc<Mutex<Vec<(Method, String)>>>,
}

fn resource() -> Value {
    let condition = |kind: &str| {
        json!({ "type": kind, "status": "True", "reason": "Published", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z" })
    };
    api_server::resource(
        &json!({
            "secretRef": { "name": "pair" },
            "target": { "name": "orders-credentials" },
            "validation": { "level": "Format" },
        }),
        &json!({
            "observedGeneration": 1,
            "conditions": [condition("Ready"), condition("Published")],
            "source": { "uid": "5ec2e700-0000-4000-8000-000000000001", "resourceVersion": "3" },
            "published": {
                "secretName": "orders-credentials",
                "uid": "5ec2e700-0000-4000-8000-000000000002",
                "resourceVersion": "4",
                "keyIdSuffix": "6723",
                "revision": 1,
                "time": "2026-01-01T00:00:00Z",
            },
        }),
    )
}

fn source(kind: &str, group: &str) -> Value {
    json!({
        "apiVersion": group,
        "kind": kind,
        "metadata": {
            "name": "pair",
            "namespace": "shop",
            "uid": "5ec2e700-0000-4000-8000-000000000001",
            "resourceVersion": "3",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "type": "Opaque",
        "data": {
            "AWS_ACCESS_KEY_ID": "QUtJQVFSU1RVVldYMjM0NTY3MjM=",
            "AWS_SECRET_ACCESS_KEY": "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXovQUJDREVGR0hJSktMKw==",
        },
    })
}

impl Server {
    async fn answer(&self, request: Request<Body>) -> Response<StreamBody<Frames>> {
        let (head, body) = request.into_parts();
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        if query.contains("watch=") {
            let object = if path.ends_with("/secrets") {
                source("PartialObjectMetadata", "meta.k8s.io/v1")
            } else {
                resource()
            };
            return watched(query, Some(&object));
        }
        if path.contains("/leases") {
            return self.lease(&head.method, body).await;
        }
        if query.contains("dryRun=All") {
            self.asked.store(true, Ordering::SeqCst);
            sleep(self.dry_run).await;
            return answered(StatusCode::OK, &resource());
        }
        match head.method {
            Method::GET if path.ends_with("/secrets/pair") => {
                answered(StatusCode::OK, &source("Secret", "v1"))
            }
            Method::GET => refused(404, "NotFound"),
            method => {
                let write = (method, path.to_owned());
                self.written.lock().unwrap().push(write);
                refused(403, "Forbidden")
            }
        }
    }

    async fn lease(&self, method: &Method, body: Body) -> Response<StreamBody<Frames>> {
        if self.asked.load(Ordering::SeqCst) && !self.dry_run.is_zero() {
            pending::<()>().await;
        }
        if *method == Method::GET {
            return refused(404, "NotFound");
        }
        let body = body.collect().await.unwrap().to_bytes();
        let mut lease: Value = serde_json::from_slice(&body).unwrap();
        let metadata = lease.pointer_mut("/metadata").unwrap();
        metadata
            .as_object_mut()
            .unwrap()
            .insert("resourceVersion".to_owned(), json!("1"));
        answered(StatusCode::OK, &lease)
    }
}

/// The writes of a replica that leads when it decides, if the dry run is answered after `dry_run`.
async fn writes(dry_run: Duration) -> Vec<(Method, String)> {
    let server = Server {
        dry_run,
        asked: Arc::default(),
        written: Arc::default(),
    };
    let service = service_fn({
        let server = server.clone();
        move |request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        }
    });
    let client = Client::new(service, "shop");
    let (candidate, shared) = elected(client);
    let process = Arc::clone(&shared);
    tokio::select! {
        result = controller::run(shared, Arc::default(), vec![None], pending()) => panic!("{result:?}"),
        () = candidate.run(&process.metrics, pending()) => panic!("the election ended"),
        () = sleep(Duration::from_mins(1)) => {}
    }
    assert!(server.asked.load(Ordering::SeqCst), "there was no dry run");
    server.written.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_target_is_restored_by_the_leader() {
    let writes = writes(Duration::ZERO).await;
    let is_secret = |(method, path): &&(Method, String)| {
        *method == Method::POST && path.ends_with("/namespaces/shop/secrets")
    };
    assert!(writes.iter().any(|write| is_secret(&write)), "{writes:?}");
}

/// The renew deadline of the lease is 10 s, the deadline of one request 15 s.
#[tokio::test(start_paused = true)]
async fn a_replica_that_lost_the_lease_during_the_dry_run_writes_nothing() {
    assert_eq!(writes(Duration::from_secs(12)).await, []);
}
