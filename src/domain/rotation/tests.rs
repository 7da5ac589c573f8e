//! Pods that hold a superseded pair, and until when.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod fleet;
mod group;
mod names;
mod overlap;
mod recheck;
mod reload_mode;
mod restart;
mod workload;

use std::time::Duration;

use crate::{
    api::Published,
    domain::rotation::{Pod, Publication},
};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// Publication time of the current pair.
const PUBLISHED: &str = "2026-01-01T12:00:00Z";
const BEFORE: &str = "2026-01-01T11:00:00Z";
/// Time by which the kubelet has delivered the pair.
const DELIVERED: &str = "2026-01-01T12:01:30Z";
const AFTER: &str = "2026-01-01T12:01:31Z";

/// Sync period of the kubelet.
const KUBELET: Duration = Duration::from_secs(90);

/// The UID of the resource.
const UID: &str = "0d7f9cbe-5a10-4a4c-8c4e-4b34a3a0a001";

fn publication(published: &Published) -> Publication<'_> {
    Publication {
        published,
        uid: UID,
        kubelet_sync_period: KUBELET,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A pod that mounts the target, changed by the test.
fn pod(change: impl FnOnce(&mut Value)) -> Pod {
    let mut pod = json!({
        "metadata": { "name": "web-0", "labels": { "app": "web" } },
        "spec": {
            "volumes": [{ "name": "aws", "secret": { "secretName": "orders-credentials" } }],
            "containers": [{
                "name": "app",
                "image": "app",
                "volumeMounts": [{ "name": "aws", "mountPath": "/var/run/secrets/awscredentials.dev" }],
            }],
        },
        "status": {
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": [{
                "name": "app",
                "state": { "running": { "startedAt": BEFORE } },
            }],
        },
    });
    change(&mut pod);
    serde_json::from_value(pod).unwrap()
}

/// The same pod with the helper.
fn hot(change: impl FnOnce(&mut Value)) -> Pod {
    pod(|pod| {
        let file = "/var/run/secrets/awscredentials.dev/config-process";
        pod["spec"]["containers"][0]["env"] = json!([
            { "name": "AWS_CONFIG_FILE", "value": file },
            { "name": "AWS_SHARED_CREDENTIALS_FILE", "value": file },
            { "name": "AWS_ROLE_ARN", "value": "" },
        ]);
        change(pod);
    })
}
