//! After a rotation: which workloads are restarted, how many at once, and how often.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::proxy::{Answer, Fault, Recorded};
use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::TARGET,
        steps::numbered,
        test_env::{ACCOUNT, ARN, SECOND, TestCluster, TestEnv, condition, message},
    },
    matrix::workloads::KINDS,
    suite::tests,
};

tests![
    workloads_are_restarted_so_many_at_once_and_once_for_a_pair,
    a_workload_that_stays_unhealthy_holds_the_others_up,
    a_restart_whose_status_is_lost_is_not_repeated,
    named_workloads_are_restarted_and_one_that_is_missing_is_reported,
];

pub const RESTARTED: &str = "ConsumersRestarted";
pub const FLAG: &[&str] = &["--restart-consumers"];

impl TestEnv {
    pub async fn until_marked(&self, count: usize) -> Result<BTreeMap<String, String>> {
        self.until(&format!("{count} are restarted"), async || {
            let marks = self.marks().await?;
            Ok((marks.len() == count).then_some(marks))
        })
        .await
    }

    /// A rotation whose pair has reached every node, and an operator that starts then.
    pub async fn rotate(&mut self, pair: (&str, &str)) -> Result<()> {
        self.publish(pair).await?;
        self.start_operator().await
    }

    pub async fn publish(&mut self, pair: (&str, &str)) -> Result<()> {
        self.source("pair", pair).await?;
        self.until_status("orders", RESTARTED, "Unknown", "RestartsPending")
            .await?;
        assert!(self.marks().await?.values().all(|mark| mark == "2"));
        self.stop_operator();
        // The workloads have to be older than the pair, and timestamps have no fractions.
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.published_before(SignedDuration::from_secs(91)).await?;
        Ok(())
    }

    pub async fn wants_restarts(&self, restart: Value) -> Result<()> {
        let rotation = json!({ "rotation": { "restart": restart } });
        self.change("orders", rotation).await?;
        self.until_converged("orders").await?;
        Ok(())
    }
}

/// The requests for workloads.
pub fn of_workloads(requests: &[Recorded]) -> Vec<&Recorded> {
    let ours = |request: &&Recorded| {
        KINDS
            .iter()
            .any(|(_, plural)| request.resource.starts_with(plural))
    };
    requests.iter().filter(ours).collect()
}

fn patches(env: &TestEnv, mark: usize) -> usize {
    let since = env.proxy.since(mark);
    let all = of_workloads(&since);
    all.iter()
        .filter(|request| request.verb.writes() && request.status == Some(200))
        .count()
}

async fn workloads_are_restarted_so_many_at_once_and_once_for_a_pair(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers", "maxConcurrent": 2 }))
        .await?;
    for name in ["a", "b", "c"] {
        env.consumer_of("Deployment", name).await?;
    }
    env.consumer_of("StatefulSet", "d").await?;
    env.consumer_of("DaemonSet", "e").await?;
    let hot = json!({ "awscredentials.dev/inject": TARGET, "awscredentials.dev/rotation": "Hot" });
    env.workload("Deployment", "hot", hot, json!([])).await?;
    env.workload("Deployment", "other", json!({}), json!([]))
        .await?;
    let mark = env.proxy.mark();
    env.rotate(SECOND).await?;
    let first = env.until_marked(2).await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    env.until_idle().await?;
    assert_eq!(env.marks().await?, first, "two at once");

    for count in [4, 5] {
        for name in env.marks().await?.keys() {
            let (kind, name) = name.split_once('/').context("a name")?;
            env.heal(kind, name).await?;
        }
        let marks = env.until_marked(count).await?;
        assert!(marks.values().all(|revision| revision == "2"), "{marks:?}");
    }
    for name in env.marks().await?.keys() {
        let (kind, name) = name.split_once('/').context("a name")?;
        env.heal(kind, name).await?;
    }
    let orders = env
        .until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    assert!(
        message(&orders, RESTARTED).ends_with("healthy: 5 workloads"),
        "{}",
        message(&orders, RESTARTED)
    );
    assert!(orders.status.context("status")?.restarts.is_none());
    assert_eq!(patches(&env, mark), 5, "one for each");
    let reasons = env.event_reasons("orders").await?;
    for reason in ["RestartsProgressing", RESTARTED] {
        let count = reasons.iter().filter(|known| *known == reason).count();
        assert_eq!(count, 1, "{reason}: {reasons:?}");
    }

    // A restart, a touch or another layout causes no request for workloads.
    let mark = env.proxy.mark();
    env.stop_operator();
    env.start_operator().await?;
    env.touch("pair").await?;
    env.change(
        "orders",
        json!({ "target": { "layouts": ["ProcessJson"] } }),
    )
    .await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    assert_eq!(of_workloads(&env.proxy.since(mark)).len(), 0);
    Ok(())
}

async fn a_workload_that_stays_unhealthy_holds_the_others_up(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    for name in ["a", "b", "c"] {
        env.consumer_of("Deployment", name).await?;
    }
    env.rotate(SECOND).await?;
    let ill = env.until_marked(1).await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    let since = json!({ "restarts": { "restartingSince": "2026-01-01T00:00:00Z" } });
    env.edit_status(since).await?;
    let orders = env
        .until_status("orders", RESTARTED, "False", "RestartsHeld")
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(
        words.contains("not healthy since 2026-01-01T00:00:00Z: Deployment/a; 2 more wait"),
        "{words}"
    );
    assert!(condition(&orders, "Ready").is_some_and(|(ready, _)| ready == "True"));
    env.until_idle().await?;
    assert_eq!(env.marks().await?, ill);

    // A new pair may heal the workload, so it is restarted first.
    let third = numbered(3);
    env.sts
        .accept_pair(&third.0, &third.1, ACCOUNT, ARN, "AIDAQUAIL");
    env.rotate((&third.0, &third.1)).await?;
    let again = BTreeMap::from([("Deployment/a".to_owned(), "3".to_owned())]);
    env.until("a is restarted again", async || {
        Ok((env.marks().await? == again).then_some(()))
    })
    .await?;
    env.heal("Deployment", "a").await?;
    let both = env.until_marked(2).await?;
    assert_eq!(both.get("Deployment/b").map(String::as_str), Some("3"));
    Ok(())
}

async fn a_restart_whose_status_is_lost_is_not_repeated(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    env.consumer_of("Deployment", "a").await?;
    let mark = env.proxy.mark();
    env.publish(SECOND).await?;
    env.proxy.set_fault(Box::new(|head| {
        if head.resource == "staticawscredentials" && head.verb.writes() {
            Fault::Answer(Answer::status(500, "InternalError", "no"))
        } else {
            Fault::Pass
        }
    }));
    env.start_operator().await?;
    env.until_marked(1).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    env.stop_operator();
    env.proxy.clear_fault();
    env.start_operator().await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    env.heal("Deployment", "a").await?;
    env.until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    assert_eq!(patches(&env, mark), 1);
    Ok(())
}

async fn named_workloads_are_restarted_and_one_that_is_missing_is_reported(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    let named = |names: &[&str]| {
        let one = |name: &&str| json!({ "kind": "Deployment", "name": name });
        let workloads: Vec<Value> = names.iter().map(one).collect();
        json!({ "scope": "Workloads", "workloads": workloads, "maxConcurrent": 2 })
    };
    env.wants_restarts(named(&["lost", "ill", "reader"]))
        .await?;
    // Named workloads need not use the target.
    for name in ["ill", "reader"] {
        env.workload("Deployment", name, json!({}), json!([]))
            .await?;
    }
    env.consumer_of("Deployment", "not-named").await?;
    env.rotate(SECOND).await?;
    let marks = env.until_marked(2).await?;
    assert!(!marks.contains_key("Deployment/not-named"), "{marks:?}");
    env.heal("Deployment", "reader").await?;
    let orders = env
        .until("one is left", async || {
            let orders = env.resources.get("orders").await?;
            let left = message(&orders, RESTARTED).starts_with("being restarted: Deployment/ill;");
            Ok(left.then_some(orders))
        })
        .await?;
    assert_eq!(
        condition(&orders, RESTARTED).map(|(_, reason)| reason),
        Some("RestartsProgressing".to_owned())
    );
    // A workload that was taken off the list is not waited for.
    env.wants_restarts(named(&["lost", "reader"])).await?;
    let orders = env
        .until_status("orders", RESTARTED, "False", "RestartsHeld")
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(words.contains("missing: Deployment/lost"), "{words}");
    env.wants_restarts(named(&["reader"])).await?;
    env.until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    assert_eq!(env.marks().await?, marks);
    Ok(())
}
