//! After a rotation: when restarts begin, and which workloads count as restarted.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Answer, Fault, RequestHead};
use kube::api::DeleteParams;
use serde_json::json;

use crate::{
    harness::test_env::{SECOND, TestCluster, TestEnv, message},
    matrix::restarts::{FLAG, RESTARTED},
    suite::tests,
};

tests![
    what_was_counted_before_a_read_failed_is_counted_once,
    a_workload_that_is_gone_is_not_counted_as_healthy,
    nobody_is_restarted_before_the_kubelets_period_is_over,
];

/// Every read of this workload fails.
fn unreadable(name: &'static str) -> impl Fn(&RequestHead) -> Fault {
    move |head| {
        let is_it = head.resource == "deployments" && head.path.ends_with(&format!("/{name}"));
        if is_it && !head.verb.writes() {
            Fault::Answer(Answer::status(500, "InternalError", "no"))
        } else {
            Fault::Pass
        }
    }
}

async fn what_was_counted_before_a_read_failed_is_counted_once(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers", "maxConcurrent": 2 }))
        .await?;
    for name in ["a", "b"] {
        env.consumer_of("Deployment", name).await?;
    }
    env.rotate(SECOND).await?;
    env.until_marked(2).await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    env.proxy.set_fault(Box::new(unreadable("b")));
    for name in ["a", "b"] {
        env.heal("Deployment", name).await?;
    }
    let mark = env.proxy.mark();
    env.until("b could not be read twice", async || {
        let requests = env.proxy.since(mark);
        let failed = requests.iter().filter(|one| one.status == Some(500));
        Ok((failed.count() >= 2).then_some(()))
    })
    .await?;
    env.proxy.clear_fault();
    let orders = env
        .until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(words.ends_with("healthy: 2 workloads"), "{words}");
    Ok(())
}

async fn a_workload_that_is_gone_is_not_counted_as_healthy(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    env.consumer_of("Deployment", "a").await?;
    env.rotate(SECOND).await?;
    env.until_marked(1).await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    env.workloads("Deployment")
        .delete("a", &DeleteParams::default())
        .await?;
    let orders = env
        .until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(words.starts_with("no workload needed"), "{words}");
    assert!(words.ends_with("healthy: 1"), "{words}");
    Ok(())
}

async fn nobody_is_restarted_before_the_kubelets_period_is_over(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    env.consumer_of("Deployment", "a").await?;
    env.flag("--kubelet-sync-period", "1h");
    env.rotate(SECOND).await?;
    env.until_idle().await?;
    assert_eq!(env.marks().await?.len(), 0, "91 s are not enough");
    env.stop_operator();
    let namespace = env.namespace.clone();
    env.serve(&[&namespace]);
    env.flags(FLAG);
    env.flag("--kubelet-sync-period", "1m30s");
    env.start_operator().await?;
    env.until_marked(1).await?;
    Ok(())
}
