//! kubernetes-replicator copies the source from another namespace, and the target into another namespace.

use std::sync::Arc;

use anyhow::Result;
use cluster::leash::Leashed;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    external_secrets::holds,
    life::{self, TARGET},
    program::{Package, start},
    scene::{Scene, Stage},
    suite::tests,
};

tests![replicator_brings_the_source, replicator_copies_the_target,];

const PACKAGE: Package = Package {
    module: "replicator",
    path: "github.com/mittwald/kubernetes-replicator",
    name: "kubernetes-replicator",
    usual_seconds: 150,
};

async fn started(stage: &Stage, home: &str) -> Result<Leashed> {
    let cluster = stage.cluster();
    let program = PACKAGE.build().await?;
    let args = [
        "-kubeconfig=KUBECONFIG",
        "-status-addr=127.0.0.1:0",
        "-allow-all",
    ];
    start(cluster, home, (&program, &args), &[]).await
}

async fn replicator_brings_the_source(stage: Arc<Stage>) -> Result<()> {
    let start = async |home: &str| started(&stage, home).await;
    let neighbour = stage.neighbour("replicator", start).await?;
    let vault = stage.cluster().namespace("vault").await?;
    let name = "kubernetes-replicator brings the source";
    let mut scene = Scene::open(stage, name, neighbour, Vec::new()).await?;
    let put = async |scene: &Scene, (id, secret): (&str, &str)| {
        let key = "replicator.v1.mittwald.de/replicate-to";
        let kept = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "pair", "namespace": vault, "annotations": { key: scene.namespace },
            },
            "stringData": { "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret },
        });
        let cluster = scene.stage.cluster();
        cluster.apply(&kept.to_string()).await.map(drop)
    };
    life::play(&mut scene, put, async |_, _, _| Ok(())).await?;
    scene.close();
    Ok(())
}

/// Our operator serves the copy's namespace too.
async fn replicator_copies_the_target(stage: Arc<Stage>) -> Result<()> {
    let start = async |home: &str| started(&stage, home).await;
    let neighbour = stage.neighbour("replicator", start).await?;
    let other = stage.cluster().namespace("other").await?;
    let name = "kubernetes-replicator copies the target";
    let also = vec![other.clone()];
    let mut scene = Scene::open(stage, name, neighbour, also).await?;
    let copies: Api<Secret> = Api::namespaced(scene.stage.cluster().client(), &other);
    let put = async |scene: &Scene, pair: (&str, &str)| scene.operator.source("pair", pair).await;
    let seen = async |scene: &Scene, step: &str, id: Option<&str>| {
        if id.is_some() {
            // A deleted target is recreated without this annotation.
            let key = "replicator.v1.mittwald.de/replicate-to";
            let mark = json!({ "metadata": { "annotations": { key: other } } });
            let parameters = PatchParams::default();
            let patch = Patch::Merge(&mark);
            scene
                .operator
                .secrets
                .patch(TARGET, &parameters, &patch)
                .await?;
        }
        let what = format!("{step}: the copy follows");
        let follows = async || {
            let copy = copies.get_opt(TARGET).await?;
            let is = match (&copy, id) {
                (Some(copy), Some(id)) => holds(copy, "AWS_ACCESS_KEY_ID", id),
                (copy, id) => copy.is_none() && id.is_none(),
            };
            Ok(is.then_some(()))
        };
        scene.until(&what, follows).await
    };
    life::play(&mut scene, put, seen).await?;
    scene.close();
    Ok(())
}
