//! The operator itself under the policies. Its account has all rights here; `tests/api_server/multi_install` runs the
//! operator with the chart's rights.

use std::sync::Arc;

use anyhow::{Context, Result};
use kube::api::PostParams;
use serde_json::json;

use crate::{
    harness::{
        cycle,
        operator::{Operator, PAIRS},
    },
    policies::{
        attempt::{Attempt, Marks, Things, assert_refused, resource},
        test_cluster::{POD, RELEASE, RELEASE_NAMESPACE, TestCluster},
    },
    suite::tests,
};

tests![
    a_resource_lives_its_whole_life_under_the_policies,
    a_resource_in_the_namespace_of_the_operator_gets_no_target,
    a_target_that_exists_is_told_to_its_writers_alone,
    a_namespace_that_goes_away_is_no_refusal,
];

async fn start(test_cluster: &TestCluster, namespace: &str, flags: &[&str]) -> Result<Operator> {
    let account = (RELEASE_NAMESPACE, RELEASE, POD);
    Operator::start(test_cluster.cluster(), account, namespace, flags).await
}

async fn a_resource_lives_its_whole_life_under_the_policies(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("life").await?;
    cycle::whole(&start(&test_cluster, &namespace, &[]).await?).await
}

async fn a_resource_in_the_namespace_of_the_operator_gets_no_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let operator = start(&test_cluster, RELEASE_NAMESPACE, &[]).await?;
    operator.source("pair", PAIRS[0]).await?;
    operator.resource("orders", json!({})).await?;
    let object = operator
        .until_ready_is("orders", "TargetWriteRefused")
        .await?;
    let status = object.status.context("no status")?;
    let words = "put the StaticAwsCredentials into another namespace";
    let has_words = |message: &str| message.contains(words);
    assert!(
        status
            .conditions
            .iter()
            .any(|condition| has_words(&condition.message)),
        "{status:#?}"
    );
    assert!(
        operator
            .secrets
            .get_opt("orders-credentials")
            .await?
            .is_none()
    );
    operator.delete("orders").await
}

async fn a_target_that_exists_is_told_to_its_writers_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("oracle").await?;
    let operator = start(&test_cluster, &namespace, &[]).await?;
    operator.source("pair", PAIRS[0]).await?;
    let taken = serde_json::from_value(json!({ "metadata": { "name": "taken" } }))?;
    operator
        .secrets
        .create(&PostParams::default(), &taken)
        .await?;
    let target = json!({ "name": "taken" });
    operator.resource("admins", target.clone()).await?;
    operator.until_ready_is("admins", "TargetConflict").await?;

    let rules = json!([
        { "apiGroups": ["awscredentials.dev"], "resources": ["staticawscredentials"], "verbs": ["*"] },
        { "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["pair"], "verbs": ["get"] },
    ]);
    let user = test_cluster.account(&namespace, "user", rules).await?;
    let user = Attempt::new(&user, &namespace);
    let users = resource("users", json!({ "target": target }));
    let answer = user.create(Things::Resources, &users).await;
    let words = "may not create and update Secret \"taken\"";
    assert_refused(&answer, "requester", words, "a taken target");
    assert!(operator.resources.get_opt("users").await?.is_none());
    Ok(())
}

async fn a_namespace_that_goes_away_is_no_refusal(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster();
    let namespace = cluster.namespace("leaving").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    let held = json!({ "metadata": { "name": "held", "finalizers": ["example.com/hold"] } });
    admin.create(Things::ConfigMaps, &held).await?;
    let made = admin
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    let uid = made.metadata.uid.context("no uid")?;
    cluster
        .kubectl(&["delete", "namespace", &namespace, "--wait=false"])
        .await?;
    let operator = Attempt::dry(&test_cluster.operator(), &namespace);
    let marks = Marks {
        name: "orders",
        uid: &uid,
    };
    // The operator detects a terminating namespace by this reason of the API server.
    let answer = operator.create(Things::Secrets, &marks.target("s")).await;
    let Err(kube::Error::Api(status)) = answer else {
        panic!("{answer:?}");
    };
    let causes = status
        .details
        .into_iter()
        .flat_map(|details| details.causes);
    let mut reasons = causes.map(|cause| cause.reason);
    assert!(
        reasons.any(|reason| reason == "NamespaceTerminating"),
        "{}",
        status.message
    );
    let off = json!({ "metadata": { "finalizers": null } });
    admin.merge(Things::ConfigMaps, "held", &off).await?;
    Ok(())
}
