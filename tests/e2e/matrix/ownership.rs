//! The owner of an existing Secret under the target's name: none, a foreign one, or another resource.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, ResourceExt, api::PostParams};
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::{TARGET, UID_LABEL, assert_costs, assert_silent},
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition, message},
    },
    suite::tests,
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

async fn a4_a_foreign_secret_is_left_alone_until_it_goes(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    refused(test_cluster, async |_| Ok(json!({}))).await
}

async fn a4_a_secret_of_a_deployment_is_left_alone(test_cluster: Arc<TestCluster>) -> Result<()> {
    refused(test_cluster, async |env| {
        let deployment = deployment(env).await?;
        Ok(json!({ "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
            "uid": deployment.uid(), "controller": true,
        }] }))
    })
    .await
}

async fn a5_a_forged_label_makes_no_secret_ours(test_cluster: Arc<TestCluster>) -> Result<()> {
    refused(test_cluster, async |env| {
        Ok(json!({ "labels": { UID_LABEL: env.uid("orders").await? } }))
    })
    .await
}

async fn a5_a_forged_owner_reference_makes_no_secret_ours(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    refused(test_cluster, async |env| {
        Ok(json!({ "ownerReferences": env.reference("orders").await? }))
    })
    .await
}

/// A Secret with this metadata exists under the target's name before the source does.
async fn refused(
    test_cluster: Arc<TestCluster>,
    metadata: impl AsyncFn(&TestEnv) -> Result<Value>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_status("orders", "Ready", "False", "SourceNotFound")
        .await?;
    let mut metadata = metadata(&env).await?;
    metadata["name"] = json!(TARGET);
    let data = json!({ "AWS_ACCESS_KEY_ID": "theirs" });
    let foreign = env
        .foreign(json!({ "metadata": metadata, "stringData": data }))
        .await?;
    env.source("pair", PAIR).await?;
    let object = env
        .until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    assert!(
        object
            .status
            .is_some_and(|status| status.published.is_none())
    );
    let mark = env.proxy.mark();
    assert_silent(&env.costs(mark).await?);
    assert_eq!(env.secrets.get(TARGET).await?, foreign);

    env.delete_secret(TARGET).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn deployment(env: &TestEnv) -> Result<Deployment> {
    let deployments: Api<Deployment> =
        Api::namespaced(env.test_cluster.cluster().client(), &env.namespace);
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

async fn rivals(test_cluster: Arc<TestCluster>) -> Result<TestEnv> {
    let env = TestEnv::settled(test_cluster).await?;
    env.source("other", SECOND).await?;
    let before = env.version(TARGET).await?;
    env.resource("rival", "other", json!({ "target": { "name": TARGET } }))
        .await?;
    let object = env
        .until_status("rival", "Ready", "False", "TargetConflict")
        .await?;
    assert!(
        message(&object, "Ready").contains("orders"),
        "{}",
        message(&object, "Ready")
    );
    let mark = env.proxy.mark();
    assert_silent(&env.costs(mark).await?);
    assert_eq!(env.version(TARGET).await?, before);
    env.until_converged("orders").await?;
    Ok(env)
}

async fn a8_the_first_of_two_resources_keeps_the_target_until_it_is_deleted(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = rivals(test_cluster).await?;
    env.delete_resource("orders").await?;
    env.until_converged("rival").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

async fn a8_the_first_of_two_resources_keeps_the_target_until_it_is_renamed(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = rivals(test_cluster).await?;
    env.change("orders", json!({ "target": { "name": "moved" } }))
        .await?;
    env.until_converged("rival").await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(env.content("moved").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    Ok(())
}

async fn a8_of_two_resources_with_one_absent_target_the_older_gets_it(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let target = json!({ "target": { "name": TARGET } });
    let first = env
        .resource("younger-by-name", "pair", target.clone())
        .await?;
    // Creation times are in whole seconds.
    env.until("a second has passed", async || {
        let now = k8s_openapi::jiff::Timestamp::now().as_second();
        let created = first.creation_timestamp().map(|time| time.0.as_second());
        Ok((created < Some(now)).then_some(()))
    })
    .await?;
    env.resource("another", "pair", target).await?;
    env.start_operator().await?;
    env.until_converged("younger-by-name").await?;
    env.until_status("another", "Ready", "False", "TargetConflict")
        .await?;
    // The conflict is reported first with the rival, and again when the Secret exists.
    env.until_idle().await?;
    let mark = env.proxy.mark();
    assert_silent(&env.costs(mark).await?);
    let creates = env.proxy.requests();
    let creates = creates.iter().filter(|request| {
        request.verb == cluster::proxy::Verb::Create && request.resource == "secrets"
    });
    assert_eq!(creates.count(), 1);
    Ok(())
}

async fn a9_a_target_is_refused_as_a_source_and_only_the_newcomer_suffers(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let before = env.version(TARGET).await?;
    let mark = env.proxy.mark();
    env.resource("chained", TARGET, json!({})).await?;
    let object = env
        .until_status("chained", "Ready", "False", "SourceIsTarget")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    assert_costs(&env.costs(mark).await?, 2, 1);
    assert_eq!(env.version(TARGET).await?, before);
    env.until_converged("orders").await?;
    assert!(env.secrets.get_opt("chained-credentials").await?.is_none());
    assert_eq!(env.sts.calls().len(), 1);

    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    env.until_status("chained", "Ready", "False", "SourceIsTarget")
        .await?;
    Ok(())
}

async fn a9_naming_a_source_as_target_does_not_block_it(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    env.source("other", SECOND).await?;
    let before = env.version("pair").await?;
    env.resource("rude", "other", json!({ "target": { "name": "pair" } }))
        .await?;
    env.until_status("rude", "Ready", "False", "TargetConflict")
        .await?;
    assert_eq!(env.version("pair").await?, before);
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    Ok(())
}

async fn a9_two_resources_that_name_each_others_targets_do_not_chase_each_other(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.resource("one", "b", json!({ "target": { "name": "a" } }))
        .await?;
    env.resource("two", "a", json!({ "target": { "name": "b" } }))
        .await?;
    env.until_status("one", "Ready", "False", "SourceNotFound")
        .await?;
    env.until_status("two", "Ready", "False", "SourceNotFound")
        .await?;
    env.source("a", PAIR).await?;
    env.until_converged("two").await?;
    env.until_status("one", "Ready", "False", "SourceIsTarget")
        .await?;
    let mark = env.proxy.mark();
    assert_silent(&env.costs(mark).await?);
    assert_eq!(env.content("b").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}
