//! Tokens of the operator's account that may write.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use crate::{
    policies::{
        attempt::{Attempt, Things, assert_passes, assert_refused},
        fence::Fixture,
        only::lease,
        test_cluster::{
            POD, RELEASE, RELEASE_NAMESPACE, TestCluster, as_itself, client_of, client_of_pod,
        },
    },
    suite::tests,
};

tests![
    the_operator_is_bound_also_as_itself,
    only_tokens_that_are_bound_to_a_pod_of_the_release_write,
    a_pod_takes_the_lease_for_itself,
];

const BOUND: &str = "with tokens that are bound to a pod of Deployment static-aws-credentials";

/// Impersonation of the account itself drops the pod from the user info. Impersonation of another user would evade the
/// policy, but the chart's rules do not grant it.
async fn the_operator_is_bound_also_as_itself(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let operator = Attempt::dry(
        &as_itself(test_cluster.cluster()).await?,
        fixture.namespace(),
    );
    let target = fixture.marks().target("a");
    let answer = operator.create(Things::Secrets, &target).await;
    assert_refused(&answer, "only", BOUND, "a Secret");
    Ok(())
}

async fn only_tokens_that_are_bound_to_a_pod_of_the_release_write(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let cluster = test_cluster.cluster();
    let target = fixture.marks().target("a");
    let status = json!({ "status": { "observedGeneration": 1 } });
    let unbound = client_of(cluster, RELEASE_NAMESPACE, RELEASE).await?;
    for (what, client) in [
        ("a token of no pod", unbound),
        ("of another pod", client_of_pod(cluster, "evil-0").await?),
        (
            "of a pod whose name begins alike",
            client_of_pod(cluster, "static-aws-credentialsx-0").await?,
        ),
    ] {
        let thief = Attempt::dry(&client, fixture.namespace());
        let answer = thief.create(Things::Secrets, &target).await;
        assert_refused(&answer, "only", BOUND, what);
        let answer = thief
            .merge_status(Things::Resources, "orders", &status)
            .await;
        assert_refused(&answer, "only", BOUND, what);
    }
    let second = client_of_pod(cluster, "static-aws-credentials-1").await?;
    let second = Attempt::dry(&second, fixture.namespace());
    let answer = second.create(Things::Secrets, &target).await;
    assert_passes(&answer, "of another replica");
    Ok(())
}

async fn a_pod_takes_the_lease_for_itself(test_cluster: Arc<TestCluster>) -> Result<()> {
    let home = Attempt::dry(&test_cluster.operator(), RELEASE_NAMESPACE);
    for holder in ["static-aws-credentials-1_00000001", "x", POD] {
        let mut lease = lease(&json!({ "name": RELEASE }));
        lease["spec"]["holderIdentity"] = json!(holder);
        let answer = home.apply(Things::Leases, &lease).await;
        assert_refused(&answer, "only", "takes the lease for itself", holder);
    }
    Ok(())
}
