//! After a rotation: pods that got the superseded pair otherwise than by a variable or a mount of a running container.

use std::sync::Arc;

use anyhow::{Context, Result};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use kube::api::DeleteParams;
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, message},
    },
    matrix::{
        consumers::IN_USE,
        pods::{ended, running},
    },
    suite::tests,
};

tests![
    a_pod_that_took_the_pair_by_a_copy_or_by_a_driver_is_named,
    a_pod_that_was_started_before_the_first_publication_is_named,
];

impl TestEnv {
    /// A rotation of 10 minutes ago, whose pick-up time passed 7 minutes ago.
    async fn rotated_for_long(&mut self) -> Result<()> {
        self.source("pair", SECOND).await?;
        self.until_in_use("Unknown", "ConsumersPickingUp").await?;
        self.stop_operator();
        self.published_ago(SignedDuration::from_mins(10)).await?;
        self.start_operator().await
    }

    /// Waits until exactly these pods are reported as in need of a restart, and then deletes them.
    async fn named_and_ended(&self, names: &[&str]) -> Result<()> {
        let orders = self
            .until_in_use("True", "ConsumersHoldPreviousKey")
            .await?;
        let text = message(&orders, IN_USE);
        let words = format!("restart {}", names.join(", "));
        assert!(text.ends_with(&words), "{text}");
        let consumers = orders.status.and_then(|status| status.consumers);
        let consumers = consumers.context("consumers")?;
        assert_eq!(consumers.restart_needed.names, names);
        for name in names {
            self.pods().delete(name, &DeleteParams::default()).await?;
        }
        self.until_in_use("False", "PreviousKeyUnused").await?;
        Ok(())
    }

    /// A pod whose init container has copied the target's files into a volume of the running container.
    async fn copies(&self, name: &str, started: Timestamp) -> Result<()> {
        let shared = json!({ "name": "shared", "mountPath": "/shared" });
        let spec = json!({
            "volumes": [
                { "name": "aws", "secret": { "secretName": TARGET } },
                { "name": "shared", "emptyDir": {} },
            ],
            "initContainers": [{
                "name": "copy", "image": "app",
                "volumeMounts": [{ "name": "aws", "mountPath": "/aws" }, shared],
            }],
            "containers": [{ "name": "app", "image": "app", "volumeMounts": [shared] }],
        });
        let status = json!({
            "initContainerStatuses": [ended("copy", started)],
            "containerStatuses": [running("app", started)],
        });
        self.pod(name, spec, status).await
    }

    /// A pod with an inline volume, whose driver got the target when the pod started.
    async fn mounts(&self, name: &str, started: Timestamp) -> Result<()> {
        let volume = json!({ "driver": "s3.example", "nodePublishSecretRef": { "name": TARGET } });
        let spec = json!({
            "volumes": [{ "name": "bucket", "csi": volume }],
            "containers": [{
                "name": "app", "image": "app",
                "volumeMounts": [{ "name": "bucket", "mountPath": "/bucket" }],
            }],
        });
        let status = json!({
            "startTime": Time(started),
            "containerStatuses": [running("app", started)],
        });
        self.pod(name, spec, status).await
    }
}

fn an_hour_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

async fn a_pod_that_took_the_pair_by_a_copy_or_by_a_driver_is_named(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, &["--list-consumers"]).await?;
    env.copies("copied", an_hour_ago()).await?;
    env.mounts("driven", an_hour_ago()).await?;
    env.rotated_for_long().await?;
    env.copies("copied-since", Timestamp::now()).await?;
    env.mounts("driven-since", Timestamp::now()).await?;
    env.named_and_ended(&["copied", "driven"]).await
}

async fn a_pod_that_was_started_before_the_first_publication_is_named(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.flags(&["--list-consumers"]);
    let spec = json!({ "containers": [{
        "name": "app", "image": "app",
        "envFrom": [{ "secretRef": { "name": TARGET, "optional": true } }],
    }] });
    let status = json!({ "containerStatuses": [running("app", an_hour_ago())] });
    env.pod("early", spec, status).await?;
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    env.rotated_for_long().await?;
    env.named_and_ended(&["early"]).await
}
