//! The instructions of docs/operations.md for whole clusters: move to another cluster, loss of the CRD, restart of the
//! control plane.

use std::sync::Arc;

use anyhow::Result;
use kube::ResourceExt;
use serde_json::json;

use crate::{
    actions::{ADOPT_BY, TARGET, tests},
    operations::{backup, restore, stripped},
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![another_cluster_takes_over_and_outlives_the_loss_of_its_definition,];

const DEFINITION: &str = "customresourcedefinition/staticawscredentials.awscredentials.dev";

/// One test: each cluster costs seconds, and the later parts would disturb other tests in it.
async fn another_cluster_takes_over_and_outlives_the_loss_of_its_definition(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut old = Scene::settled(Arc::clone(&stage)).await?;
    old.source("second", SECOND).await?;
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    old.resource("kept", "second", retain).await?;
    old.until_agreed("kept").await?;
    let saved = backup(&old).await?;
    old.stop_operator();

    let scene = Scene::open(stage.elsewhere().await?).await?;
    restore(&scene, &stripped(saved, &scene.namespace)).await?;
    for (name, target) in [("orders", TARGET), ("kept", "kept-credentials")] {
        scene.until_agreed(name).await?;
        let moved = scene.secrets.get(target).await?;
        assert_eq!(moved.data, old.secrets.get(target).await?.data);
        assert_eq!(moved.annotations()[ADOPT_BY], name);
    }
    assert_eq!(scene.sts.calls().len(), 2, "each pair is proven once there");
    the_definition_is_lost(&scene).await?;
    the_control_plane_starts_anew(&scene).await
}

async fn the_definition_is_lost(scene: &Scene) -> Result<()> {
    let cluster = scene.stage.cluster();
    // The garbage collector may take 30 s to discover a new kind.
    scene.resource("brief", "pair", json!({})).await?;
    scene.until_agreed("brief").await?;
    scene.delete_resource("brief").await?;
    scene.until_gone("brief-credentials").await?;
    let saved = backup(scene).await?;
    let kept = scene.secrets.get("kept-credentials").await?;
    cluster.kubectl(&["delete", DEFINITION]).await?;
    scene.until_gone(TARGET).await?;
    assert_eq!(scene.secrets.get("kept-credentials").await?, kept);
    assert!(scene.secrets.get_opt("pair").await?.is_some());
    let named = "staticawscredentials.awscredentials.dev";
    scene.until_unready(named).await?;

    scene.stage.define().await?;
    let resources = saved
        .into_iter()
        .filter(|object| object["kind"] == "StaticAwsCredentials");
    restore(scene, &stripped(resources.collect(), &scene.namespace)).await?;
    scene.until_agreed("orders").await?;
    scene.until_agreed("kept").await?;
    let adopted = scene.secrets.get("kept-credentials").await?;
    assert_eq!((adopted.uid(), adopted.data), (kept.uid(), kept.data));
    scene.ready().await
}

/// The source changes while the operator's watches are reopened.
async fn the_control_plane_starts_anew(scene: &Scene) -> Result<()> {
    let cluster = scene.stage.cluster();
    for pair in [SECOND, PAIR, SECOND] {
        cluster.api_server().kill().await?;
        cluster.etcd().stop().await?;
        cluster.etcd().start()?;
        cluster.api_server().start()?;
        cluster.ready().await?;
        scene.source("pair", pair).await?;
        scene.until_agreed("orders").await?;
        assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    }
    scene.ready().await
}
