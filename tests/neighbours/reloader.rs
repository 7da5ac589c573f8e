//! Reloader restarts a workload when the target in its pods' variables changes.

use std::sync::Arc;

use anyhow::{Context, Result};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::json;

use crate::{
    life::{self, STEPS, TARGET},
    program::{Package, start},
    suite::tests,
    test_env::{TestCluster, TestEnv},
};

tests![reloader_restarts_what_reads_the_target];

const PACKAGE: Package = Package {
    module: "reloader",
    path: "github.com/stakater/Reloader",
    name: "reloader",
    usual_seconds: 190,
};

/// A rotation restarts the workload once; no other step does.
async fn reloader_restarts_what_reads_the_target(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster();
    let program = PACKAGE.build().await?;
    let start = async |home: &str| start(cluster, home, (&program, &[]), &[]).await;
    let neighbour = test_cluster.neighbour("reloader", start).await?;
    let name = "Reloader restarts what reads the target";
    let mut env = TestEnv::open(test_cluster, name, neighbour, Vec::new()).await?;
    env.test_cluster
        .cluster()
        .apply(&deployment(&env.namespace))
        .await?;
    let put = async |env: &TestEnv, pair: (&str, &str)| env.operator.source("pair", pair).await;
    let seen = async |env: &TestEnv, step: &str, _: Option<&str>| {
        let restarted = if step == STEPS[0] { 1 } else { 2 };
        let deployments = Api::namespaced(env.test_cluster.cluster().client(), &env.namespace);
        let what = format!("generation {restarted} of the workload");
        let is = async || {
            let found: Deployment = deployments.get("orders").await?;
            let generation = found.metadata.generation.context("no generation")?;
            Ok((generation == restarted).then_some(()))
        };
        env.until(&what, is).await
    };
    life::run(&mut env, put, seen).await?;
    seen(&env, STEPS[4], None).await?;
    env.close();
    Ok(())
}

fn deployment(namespace: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "orders", "namespace": namespace,
            "annotations": { "reloader.stakater.com/auto": "true" },
        },
        "spec": {
            "selector": { "matchLabels": { "app": "orders" } },
            "template": {
                "metadata": { "labels": { "app": "orders" } },
                "spec": { "containers": [{
                    "name": "orders", "image": "orders",
                    "envFrom": [{ "secretRef": { "name": TARGET } }],
                }] },
            },
        },
    })
    .to_string()
}
