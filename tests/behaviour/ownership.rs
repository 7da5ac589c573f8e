//! The owner of an existing Secret under the target's name: none, a foreign one, or another resource.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, ResourceExt, api::PostParams};
use serde_json::{Value, json};

use crate::{
    actions::{TARGET, UID_LABEL, assert_costs, assert_silent, tests},
    scene::{PAIR, SECOND, Scene, Stage, condition, message},
};

tests![
    a4_a_foreign_secret_is_left_alone_until_it_goes,
    a4_a_secret_of_a_deployment_is_left_alone,
    a5_a_forged_label_makes_no_secret_ours,
    a5_a_forged_owner_reference_makes_no_secret_ours,
    a8_the_first_of_two_resources_keeps_the_target_until_it_is_deleted,
    a8_the_first_of_two_resources_keeps_the_target_until_it_is_renamed,
    a8_of_two_resources_with_one_absent_target_the_older_gets_it,
    a9_a_target_is_refused_as_a_source_and_only_the_newcomer_suffers,
    a9_naming_a_source_as_target_does_not_block_it,
    a9_two_resources_that_name_each_others_targets_do_not_chase_each_other,
];

async fn a4_a_foreign_secret_is_left_alone_until_it_goes(stage: Arc<Stage>) -> Result<()> {
    refused(stage, async |_| Ok(json!({}))).await
}

async fn a4_a_secret_of_a_deployment_is_left_alone(stage: Arc<Stage>) -> Result<()> {
    refused(stage, async |scene| {
        let deployment = deployment(scene).await?;
        Ok(json!({ "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
            "uid": deployment.uid(), "controller": true,
        }] }))
    })
    .await
}

async fn a5_a_forged_label_makes_no_secret_ours(stage: Arc<Stage>) -> Result<()> {
    refused(stage, async |scene| {
        Ok(json!({ "labels": { UID_LABEL: scene.uid("orders").await? } }))
    })
    .await
}

async fn a5_a_forged_owner_reference_makes_no_secret_ours(stage: Arc<Stage>) -> Result<()> {
    refused(stage, async |scene| {
        Ok(json!({ "ownerReferences": scene.reference("orders").await? }))
    })
    .await
}

/// A Secret with this metadata exists under the target's name before the source does.
async fn refused(stage: Arc<Stage>, metadata: impl AsyncFn(&Scene) -> Result<Value>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene
        .until_status("orders", "Ready", "False", "SourceNotFound")
        .await?;
    let mut metadata = metadata(&scene).await?;
    metadata["name"] = json!(TARGET);
    let data = json!({ "AWS_ACCESS_KEY_ID": "theirs" });
    let foreign = scene
        .foreign(json!({ "metadata": metadata, "stringData": data }))
        .await?;
    scene.source("pair", PAIR).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    assert!(
        object
            .status
            .is_some_and(|status| status.published.is_none())
    );
    let mark = scene.proxy.mark();
    assert_silent(&scene.costs(mark).await?);
    assert_eq!(scene.secrets.get(TARGET).await?, foreign);

    scene.delete_secret(TARGET).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn deployment(scene: &Scene) -> Result<Deployment> {
    let deployments: Api<Deployment> =
        Api::namespaced(scene.stage.cluster().client(), &scene.namespace);
    let labels = json!({ "app": "web" });
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 0, "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "web", "image": "web" }] },
            },
        },
    }))?;
    Ok(deployments
        .create(&PostParams::default(), &deployment)
        .await?)
}

async fn rivals(stage: Arc<Stage>) -> Result<Scene> {
    let scene = Scene::settled(stage).await?;
    scene.source("other", SECOND).await?;
    let before = scene.version(TARGET).await?;
    scene
        .resource("rival", "other", json!({ "target": { "name": TARGET } }))
        .await?;
    let object = scene
        .until_status("rival", "Ready", "False", "TargetConflict")
        .await?;
    assert!(
        message(&object, "Ready").contains("orders"),
        "{}",
        message(&object, "Ready")
    );
    let mark = scene.proxy.mark();
    assert_silent(&scene.costs(mark).await?);
    assert_eq!(scene.version(TARGET).await?, before);
    scene.until_agreed("orders").await?;
    Ok(scene)
}

async fn a8_the_first_of_two_resources_keeps_the_target_until_it_is_deleted(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = rivals(stage).await?;
    scene.delete_resource("orders").await?;
    scene.until_agreed("rival").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(scene.sts.calls().len(), 2);
    Ok(())
}

async fn a8_the_first_of_two_resources_keeps_the_target_until_it_is_renamed(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = rivals(stage).await?;
    scene
        .change("orders", json!({ "target": { "name": "moved" } }))
        .await?;
    scene.until_agreed("rival").await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(scene.content("moved").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    Ok(())
}

async fn a8_of_two_resources_with_one_absent_target_the_older_gets_it(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    scene.source("pair", PAIR).await?;
    let target = json!({ "target": { "name": TARGET } });
    let first = scene
        .resource("younger-by-name", "pair", target.clone())
        .await?;
    // Creation times are in whole seconds.
    scene
        .until("a second has passed", async || {
            let now = k8s_openapi::jiff::Timestamp::now().as_second();
            let created = first.creation_timestamp().map(|time| time.0.as_second());
            Ok((created < Some(now)).then_some(()))
        })
        .await?;
    scene.resource("another", "pair", target).await?;
    scene.start_operator().await?;
    scene.until_agreed("younger-by-name").await?;
    scene
        .until_status("another", "Ready", "False", "TargetConflict")
        .await?;
    // The conflict is reported first with the rival, and again when the Secret exists.
    scene.until_idle().await?;
    let mark = scene.proxy.mark();
    assert_silent(&scene.costs(mark).await?);
    let creates = scene.proxy.requests();
    let creates = creates.iter().filter(|request| {
        request.verb == cluster::proxy::Verb::Create && request.resource == "secrets"
    });
    assert_eq!(creates.count(), 1);
    Ok(())
}

async fn a9_a_target_is_refused_as_a_source_and_only_the_newcomer_suffers(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let before = scene.version(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.resource("chained", TARGET, json!({})).await?;
    let object = scene
        .until_status("chained", "Ready", "False", "SourceIsTarget")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    assert_costs(&scene.costs(mark).await?, 2, 1);
    assert_eq!(scene.version(TARGET).await?, before);
    scene.until_agreed("orders").await?;
    assert!(
        scene
            .secrets
            .get_opt("chained-credentials")
            .await?
            .is_none()
    );
    assert_eq!(scene.sts.calls().len(), 1);

    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    scene
        .until_status("chained", "Ready", "False", "SourceIsTarget")
        .await?;
    Ok(())
}

async fn a9_naming_a_source_as_target_does_not_block_it(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    scene.source("other", SECOND).await?;
    let before = scene.version("pair").await?;
    scene
        .resource("rude", "other", json!({ "target": { "name": "pair" } }))
        .await?;
    scene
        .until_status("rude", "Ready", "False", "TargetConflict")
        .await?;
    assert_eq!(scene.version("pair").await?, before);
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    Ok(())
}

async fn a9_two_resources_that_name_each_others_targets_do_not_chase_each_other(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene
        .resource("one", "b", json!({ "target": { "name": "a" } }))
        .await?;
    scene
        .resource("two", "a", json!({ "target": { "name": "b" } }))
        .await?;
    scene
        .until_status("one", "Ready", "False", "SourceNotFound")
        .await?;
    scene
        .until_status("two", "Ready", "False", "SourceNotFound")
        .await?;
    scene.source("a", PAIR).await?;
    scene.until_agreed("two").await?;
    scene
        .until_status("one", "Ready", "False", "SourceIsTarget")
        .await?;
    let mark = scene.proxy.mark();
    assert_silent(&scene.costs(mark).await?);
    assert_eq!(scene.content("b").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}
