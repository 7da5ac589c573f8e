//! Without its source, the target is checked against the digest of the published data, not by its writer.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::ByteString;
use kube::api::PostParams;
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{SECOND, TestCluster, TestEnv, message},
    },
    suite::tests,
};

tests![
    what_another_process_wrote_under_our_name_is_not_vouched_for,
    a_target_that_only_got_a_label_is_vouched_for_after_a_restart,
];

async fn what_another_process_wrote_under_our_name_is_not_vouched_for(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    let published = env.published("orders").await?;
    assert!(published.content_digest.is_some());
    env.delete_secret("pair").await?;
    env.until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    let mut target = env.secrets.get(TARGET).await?;
    let value = ByteString(SECOND.1.as_bytes().to_vec());
    let data = target.data.get_or_insert_default();
    data.insert("AWS_SECRET_ACCESS_KEY".to_owned(), value);
    target.metadata.managed_fields = None;
    let as_the_operator = PostParams {
        field_manager: Some("static-aws-credentials".to_owned()),
        ..PostParams::default()
    };
    env.secrets
        .replace(TARGET, &as_the_operator, &target)
        .await?;
    let orders = env
        .until_status("orders", "Published", "False", "TargetModified")
        .await?;
    let words = message(&orders, "Published");
    assert!(
        words.contains("holds other data than was last published"),
        "{words}"
    );

    env.stop_operator();
    env.start_operator().await?;
    env.until_idle().await?;
    env.until_status("orders", "Published", "False", "TargetModified")
        .await?;
    Ok(())
}

async fn a_target_that_only_got_a_label_is_vouched_for_after_a_restart(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    env.delete_secret("pair").await?;
    env.until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    env.stop_operator();
    let label = json!({ "metadata": { "labels": { "team": "storage" } } });
    env.edit_secret(TARGET, label).await?;
    env.start_operator().await?;
    let version = env.version(TARGET).await?.1;
    env.until("the status knows the new version", async || {
        let published = env.published("orders").await?;
        Ok((published.resource_version == version).then_some(()))
    })
    .await?;
    env.until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    Ok(())
}
