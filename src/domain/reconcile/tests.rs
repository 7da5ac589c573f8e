//! A reconcile without a driver.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::domain::decide::decide;

fn object() -> crate::api::StaticAwsCredentials {
    serde_json::from_value(json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": {
            "name": "orders", "namespace": "shop", "resourceVersion": "7", "generation": 1,
            "uid": "7e500000-0000-4000-8000-000000000001",
        },
        "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
    }))
    .unwrap()
}

/// A rotation may be followed by a second status in the same reconcile. It must not name the version before the first.
#[test]
fn a_second_status_replaces_the_first() {
    let object = object();
    let resource = ValidatedCredentials::parse(&object).unwrap();
    let mut state = RuntimeState::default();
    let mut around = Surroundings {
        state: &mut state,
        question: None,
        epoch: 0,
        wall: Timestamp::from_second(1).unwrap(),
        now: Instant::now(),
    };
    let settings = Settings {
        decide,
        endpoint_replaced: false,
        proxied: false,
        lists_consumers: true,
        restarts_consumers: true,
        kubelet_sync_period: Duration::from_secs(90),
        jitter: 0.5,
    };
    let begin = Begin::new(&object, &resource, &mut around);
    let mut run = Reconcile::new(begin, View::default(), &resource, None, settings);
    assert_eq!(run.version(), "7");
    run.status_written(StaticAwsCredentialsStatus::default(), Some(9), &mut around);
    assert_eq!(run.version(), "9");
    let written = around.state.written.as_ref().unwrap();
    assert_eq!(written.version, 9);
}
