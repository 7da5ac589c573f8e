//! Without its source, the target is checked against the digest of the published data, not by its writer.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::ByteString;
use kube::api::PostParams;
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    scene::{SECOND, Scene, Stage, message},
};

tests![
    what_another_process_wrote_under_our_name_is_not_vouched_for,
    a_target_that_only_got_a_label_is_vouched_for_after_a_restart,
];

async fn what_another_process_wrote_under_our_name_is_not_vouched_for(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::settled(stage).await?;
    let published = scene.published("orders").await?;
    assert!(published.content_digest.is_some());
    scene.delete_secret("pair").await?;
    scene
        .until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    let mut target = scene.secrets.get(TARGET).await?;
    let value = ByteString(SECOND.1.as_bytes().to_vec());
    let data = target.data.get_or_insert_default();
    data.insert("AWS_SECRET_ACCESS_KEY".to_owned(), value);
    target.metadata.managed_fields = None;
    let as_the_operator = PostParams {
        field_manager: Some("static-aws-credentials".to_owned()),
        ..PostParams::default()
    };
    scene
        .secrets
        .replace(TARGET, &as_the_operator, &target)
        .await?;
    let orders = scene
        .until_status("orders", "Published", "False", "TargetModified")
        .await?;
    let words = message(&orders, "Published");
    assert!(words.contains("nothing vouches for them"), "{words}");

    scene.stop_operator();
    scene.start_operator().await?;
    scene.until_idle().await?;
    scene
        .until_status("orders", "Published", "False", "TargetModified")
        .await?;
    Ok(())
}

async fn a_target_that_only_got_a_label_is_vouched_for_after_a_restart(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::settled(stage).await?;
    scene.delete_secret("pair").await?;
    scene
        .until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    scene.stop_operator();
    let label = json!({ "metadata": { "labels": { "team": "storage" } } });
    scene.edit_secret(TARGET, label).await?;
    scene.start_operator().await?;
    let version = scene.version(TARGET).await?.1;
    scene
        .until("the status knows the new version", async || {
            let published = scene.published("orders").await?;
            Ok((published.resource_version == version).then_some(()))
        })
        .await?;
    scene
        .until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    Ok(())
}
