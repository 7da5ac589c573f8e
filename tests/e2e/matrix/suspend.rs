//! `spec.suspend`.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use crate::{
    harness::{
        actions::{TARGET, assert_costs, assert_silent},
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    suite::tests,
};

tests![
    suspending_costs_one_status_write_and_freezes_the_target,
    a_stalled_resource_stays_stalled_while_it_is_suspended,
    a_resource_that_is_created_suspended_touches_nothing,
    a_resource_that_is_deleted_while_suspended_takes_its_target_along,
];

async fn suspending_costs_one_status_write_and_freezes_the_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let content = env.content(TARGET).await?;
    let mark = env.proxy.mark();
    env.change("orders", json!({ "suspend": true })).await?;
    let object = env
        .until_condition("orders", "Ready", "True", "Suspended")
        .await?;
    let observed = object
        .status
        .as_ref()
        .map(|status| status.observed_generation);
    assert_eq!(observed, object.metadata.generation);
    assert!(condition(&object, "Reconciling").is_none());
    assert_costs(&env.costs(mark).await?, 0, 1);

    let mark = env.proxy.mark();
    let edit = json!({ "stringData": { "AWS_ACCESS_KEY_ID": "edited" } });
    let edited = env.edit_secret(TARGET, edit).await?;
    env.source("pair", SECOND).await?;
    env.source("pair", PAIR).await?;
    assert_silent(&env.costs(mark).await?);
    assert_eq!(env.secrets.get(TARGET).await?, edited);

    let mark = env.proxy.mark();
    env.change("orders", json!({ "suspend": false })).await?;
    env.until_converged("orders").await?;
    assert_costs(&env.costs(mark).await?, 2, 2);
    assert_eq!(env.content(TARGET).await?, content);
    assert_eq!(env.published("orders").await?.revision, 1);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn a_stalled_resource_stays_stalled_while_it_is_suspended(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    env.change("orders", json!({ "suspend": true })).await?;
    let object = env
        .until_condition("orders", "Ready", "False", "Suspended")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    env.source("pair", PAIR).await?;
    env.until_idle().await?;
    assert!(env.secrets.get_opt(TARGET).await?.is_none());
    env.change("orders", json!({ "suspend": false })).await?;
    env.until_converged("orders").await?;
    Ok(())
}

async fn a_resource_that_is_created_suspended_touches_nothing(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let mark = env.proxy.mark();
    env.resource("orders", "pair", json!({ "suspend": true }))
        .await?;
    env.until_condition("orders", "Ready", "Unknown", "Suspended")
        .await?;
    assert_costs(&env.costs(mark).await?, 0, 1);
    assert!(env.sts.calls().is_empty());
    assert!(env.secrets.get_opt(TARGET).await?.is_none());
    Ok(())
}

async fn a_resource_that_is_deleted_while_suspended_takes_its_target_along(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    env.change("orders", json!({ "suspend": true })).await?;
    env.until_condition("orders", "Ready", "True", "Suspended")
        .await?;
    let mark = env.proxy.mark();
    env.delete_resource("orders").await?;
    env.until_gone(TARGET).await?;
    assert_silent(&env.costs(mark).await?);
    Ok(())
}
