//! The instructions of docs/operations.md for whole clusters: move to another cluster, loss of the CRD, restart of the
//! control plane.

use std::sync::Arc;

use anyhow::Result;
use kube::ResourceExt;
use serde_json::json;

use crate::{
    harness::{
        actions::{ADOPT_BY, TARGET},
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    matrix::operations::{backup, restore, stripped},
    suite::tests,
};

tests![another_cluster_takes_over_and_outlives_the_loss_of_its_definition,];

const DEFINITION: &str = "customresourcedefinition/staticawscredentials.awscredentials.dev";

/// One test: each cluster costs seconds, and the later parts would disturb other tests in the same cluster.
async fn another_cluster_takes_over_and_outlives_the_loss_of_its_definition(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut old = TestEnv::settled(Arc::clone(&test_cluster)).await?;
    old.source("second", SECOND).await?;
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    old.resource("kept", "second", retain).await?;
    old.until_converged("kept").await?;
    let saved = backup(&old).await?;
    old.stop_operator();

    let env = TestEnv::open(test_cluster.another().await?).await?;
    restore(&env, &stripped(saved, &env.namespace)).await?;
    for (name, target) in [("orders", TARGET), ("kept", "kept-credentials")] {
        env.until_converged(name).await?;
        let moved = env.secrets.get(target).await?;
        assert_eq!(moved.data, old.secrets.get(target).await?.data);
        assert_eq!(moved.annotations()[ADOPT_BY], name);
    }
    assert_eq!(env.sts.calls().len(), 2, "each pair is proven once there");
    the_definition_is_lost(&env).await?;
    the_control_plane_starts_anew(&env).await
}

async fn the_definition_is_lost(env: &TestEnv) -> Result<()> {
    let cluster = env.test_cluster.cluster();
    // The garbage collector may take 30 s to discover a new kind.
    env.resource("brief", "pair", json!({})).await?;
    env.until_converged("brief").await?;
    env.delete_resource("brief").await?;
    env.until_gone("brief-credentials").await?;
    let saved = backup(env).await?;
    let kept = env.secrets.get("kept-credentials").await?;
    cluster.kubectl(&["delete", DEFINITION]).await?;
    env.until_gone(TARGET).await?;
    assert_eq!(env.secrets.get("kept-credentials").await?, kept);
    assert!(env.secrets.get_opt("pair").await?.is_some());
    let named = "staticawscredentials.awscredentials.dev";
    env.until_unready(named).await?;

    env.test_cluster.define().await?;
    let resources = saved
        .into_iter()
        .filter(|object| object["kind"] == "StaticAwsCredentials");
    restore(env, &stripped(resources.collect(), &env.namespace)).await?;
    env.until_converged("orders").await?;
    env.until_converged("kept").await?;
    let adopted = env.secrets.get("kept-credentials").await?;
    assert_eq!((adopted.uid(), adopted.data), (kept.uid(), kept.data));
    env.ready().await
}

/// The source changes while the operator's watches are reopened.
async fn the_control_plane_starts_anew(env: &TestEnv) -> Result<()> {
    let cluster = env.test_cluster.cluster();
    for pair in [SECOND, PAIR, SECOND] {
        cluster.api_server().kill().await?;
        cluster.etcd().stop().await?;
        cluster.etcd().start()?;
        cluster.api_server().start()?;
        cluster.ready().await?;
        env.source("pair", pair).await?;
        env.until_converged("orders").await?;
        assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    }
    env.ready().await
}
