//! Reloader restarts a workload when the target in its pods' variables changes.

use std::sync::Arc;

use anyhow::{Context, Result};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::json;

use crate::{
    life::{self, STEPS, TARGET},
    program::{Package, start},
    scene::{Scene, Stage},
    suite::tests,
};

tests![reloader_restarts_what_reads_the_target];

const PACKAGE: Package = Package {
    module: "reloader",
    path: "github.com/stakater/Reloader",
    name: "reloader",
    usual_seconds: 190,
};

/// A rotation restarts the workload once; no other step does.
async fn reloader_restarts_what_reads_the_target(stage: Arc<Stage>) -> Result<()> {
    let cluster = stage.cluster();
    let program = PACKAGE.build().await?;
    let start = async |home: &str| start(cluster, home, (&program, &[]), &[]).await;
    let neighbour = stage.neighbour("reloader", start).await?;
    let name = "Reloader restarts what reads the target";
    let mut scene = Scene::open(stage, name, neighbour, Vec::new()).await?;
    scene
        .stage
        .cluster()
        .apply(&deployment(&scene.namespace))
        .await?;
    let put = async |scene: &Scene, pair: (&str, &str)| scene.operator.source("pair", pair).await;
    let seen = async |scene: &Scene, step: &str, _: Option<&str>| {
        let restarted = if step == STEPS[0] { 1 } else { 2 };
        let deployments = Api::namespaced(scene.stage.cluster().client(), &scene.namespace);
        let what = format!("generation {restarted} of the workload");
        let is = async || {
            let found: Deployment = deployments.get("orders").await?;
            let generation = found.metadata.generation.context("no generation")?;
            Ok((generation == restarted).then_some(()))
        };
        scene.until(&what, is).await
    };
    life::play(&mut scene, put, seen).await?;
    seen(&scene, STEPS[4], None).await?;
    scene.close();
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
