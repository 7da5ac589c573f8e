//! `spec.suspend`.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use crate::{
    actions::{TARGET, assert_costs, assert_silent, tests},
    scene::{PAIR, SECOND, Scene, Stage, condition},
};

tests![
    suspending_costs_one_status_write_and_freezes_the_target,
    a_stalled_resource_stays_stalled_while_it_is_suspended,
    a_resource_that_is_created_suspended_touches_nothing,
    a_resource_that_is_deleted_while_suspended_takes_its_target_along,
];

async fn suspending_costs_one_status_write_and_freezes_the_target(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let content = scene.content(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.change("orders", json!({ "suspend": true })).await?;
    let object = scene
        .until_says("orders", "Ready", "True", "Suspended")
        .await?;
    let observed = object
        .status
        .as_ref()
        .map(|status| status.observed_generation);
    assert_eq!(observed, object.metadata.generation);
    assert!(condition(&object, "Reconciling").is_none());
    assert_costs(&scene.costs(mark).await?, 0, 1);

    let mark = scene.proxy.mark();
    let edit = json!({ "stringData": { "AWS_ACCESS_KEY_ID": "edited" } });
    let edited = scene.edit_secret(TARGET, edit).await?;
    scene.source("pair", SECOND).await?;
    scene.source("pair", PAIR).await?;
    assert_silent(&scene.costs(mark).await?);
    assert_eq!(scene.secrets.get(TARGET).await?, edited);

    let mark = scene.proxy.mark();
    scene.change("orders", json!({ "suspend": false })).await?;
    scene.until_agreed("orders").await?;
    assert_costs(&scene.costs(mark).await?, 2, 2);
    assert_eq!(scene.content(TARGET).await?, content);
    assert_eq!(scene.published("orders").await?.revision, 1);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn a_stalled_resource_stays_stalled_while_it_is_suspended(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene
        .secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    scene.change("orders", json!({ "suspend": true })).await?;
    let object = scene
        .until_says("orders", "Ready", "False", "Suspended")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    scene.source("pair", PAIR).await?;
    scene.until_idle().await?;
    assert!(scene.secrets.get_opt(TARGET).await?.is_none());
    scene.change("orders", json!({ "suspend": false })).await?;
    scene.until_agreed("orders").await?;
    Ok(())
}

async fn a_resource_that_is_created_suspended_touches_nothing(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    let mark = scene.proxy.mark();
    scene
        .resource("orders", "pair", json!({ "suspend": true }))
        .await?;
    scene
        .until_says("orders", "Ready", "Unknown", "Suspended")
        .await?;
    assert_costs(&scene.costs(mark).await?, 0, 1);
    assert!(scene.sts.calls().is_empty());
    assert!(scene.secrets.get_opt(TARGET).await?.is_none());
    Ok(())
}

async fn a_resource_that_is_deleted_while_suspended_takes_its_target_along(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    scene.change("orders", json!({ "suspend": true })).await?;
    scene
        .until_says("orders", "Ready", "True", "Suspended")
        .await?;
    let mark = scene.proxy.mark();
    scene.delete_resource("orders").await?;
    scene.until_gone(TARGET).await?;
    assert_silent(&scene.costs(mark).await?);
    Ok(())
}
