//! After a rotation: restarts that the resource, a flag or the API server does not allow.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::proxy::{Answer, Fault};
use k8s_openapi::jiff::SignedDuration;
use serde_json::json;

use crate::{
    harness::test_env::{PAIR, SECOND, TestCluster, TestEnv, condition, message},
    matrix::restarts::{FLAG, RESTARTED, of_workloads},
    suite::tests,
};

tests![
    whoever_may_not_restart_says_so,
    nobody_is_restarted_unless_that_is_asked_for,
];

async fn whoever_may_not_restart_says_so(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    env.consumer_of("Deployment", "a").await?;
    let forbid = |verb: fn(&cluster::proxy::Verb) -> bool, words: &'static str| {
        move |head: &cluster::proxy::RequestHead| {
            if head.resource == "deployments" && verb(&head.verb) {
                Fault::Answer(Answer::status(403, "Forbidden", words))
            } else {
                Fault::Pass
            }
        }
    };
    env.proxy
        .set_fault(Box::new(forbid(|verb| !verb.writes(), "no list")));
    env.rotate(SECOND).await?;
    let orders = env
        .until_status("orders", RESTARTED, "Unknown", "RestartsNotAllowed")
        .await?;
    assert!(message(&orders, RESTARTED).contains("rotation.restart.enabled"));
    env.proxy
        .set_fault(Box::new(forbid(|verb| verb.writes(), "quotas say no")));
    let orders = env
        .until_status("orders", RESTARTED, "False", "RestartsHeld")
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(
        words.contains("Deployment/a") && words.contains("quotas say no"),
        "{words}"
    );
    env.proxy.clear_fault();
    env.until_marked(1).await?;
    Ok(())
}

async fn nobody_is_restarted_unless_that_is_asked_for(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, &[]).await?;
    env.consumer_of("Deployment", "a").await?;
    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let orders = env.resources.get("orders").await?;
    assert_eq!(condition(&orders, RESTARTED), None);

    // Requested by the resource, but not allowed by a flag.
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    env.source("pair", PAIR).await?;
    let orders = env
        .until_status("orders", RESTARTED, "Unknown", "RestartsNotAllowed")
        .await?;
    assert!(orders.status.context("status")?.restarts.is_none());
    env.stop_operator();
    env.published_before(SignedDuration::from_mins(10)).await?;
    env.start_operator().await?;
    env.until_converged("orders").await?;
    env.change("orders", json!({ "rotation": null })).await?;
    env.until_converged("orders").await?;
    let orders = env.resources.get("orders").await?;
    assert_eq!(condition(&orders, RESTARTED), None);
    env.until_idle().await?;
    assert_eq!(of_workloads(&env.proxy.since(mark)).len(), 0);
    Ok(())
}
