//! After a rotation: restarts count as done only when no pod from before the new pair runs.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Answer, Fault};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    harness::test_env::{SECOND, TestCluster, TestEnv, message},
    matrix::{
        pods::running,
        restarts::{FLAG, RESTARTED},
    },
    suite::tests,
};

tests![
    a_controller_that_takes_the_restart_back_is_named,
    pods_of_a_workload_that_is_not_rolled_out_are_waited_for,
    pods_of_kinds_that_are_not_restarted_are_named,
    a_workload_without_replicas_is_restarted_only_with_what_runs_its_pods,
    a_workload_that_restarted_by_itself_is_left_alone,
    a_workload_whose_restart_is_refused_is_named_and_holds_no_other_up,
];

impl TestEnv {
    /// The pods with this label have run since `started`, as a kubelet would report it.
    async fn run_since(&self, app: &str, started: Timestamp) -> Result<()> {
        let status = json!({ "status": {
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": [running("app", started)],
        } });
        let pods = self.pods();
        let of_app = ListParams::default().labels(&format!("app={app}"));
        for pod in pods.list(&of_app).await? {
            let patch = Patch::Merge(&status);
            pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch)
                .await?;
        }
        Ok(())
    }

    async fn patch_workload(&self, name: &str, patch: Value) -> Result<()> {
        self.workloads("Deployment")
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    async fn held(&self) -> Result<String> {
        let orders = self
            .until_status("orders", RESTARTED, "False", "RestartsHeld")
            .await?;
        Ok(message(&orders, RESTARTED))
    }

    async fn done(&self) -> Result<String> {
        let orders = self
            .until_status("orders", RESTARTED, "True", RESTARTED)
            .await?;
        Ok(message(&orders, RESTARTED))
    }

    /// Restarts are turned on, and Deployment `a` has the target in its variables and pods that are an hour old.
    async fn long_running(test_cluster: Arc<TestCluster>) -> Result<Self> {
        let env = Self::rotated(test_cluster, FLAG).await?;
        env.wants_restarts(json!({ "scope": "Consumers" })).await?;
        env.consumer_of("Deployment", "a").await?;
        env.run_since("a", an_hour_ago()).await?;
        Ok(env)
    }
}

fn an_hour_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

async fn a_controller_that_takes_the_restart_back_is_named(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::long_running(test_cluster).await?;
    env.rotate(SECOND).await?;
    env.until_marked(1).await?;
    let without = json!({ "spec": { "template": { "metadata": { "annotations": null } } } });
    env.patch_workload("a", without).await?;
    let words = env.held().await?;
    assert!(
        words.ends_with("restart them there: Deployment/a"),
        "{words}"
    );
    env.until_idle().await?;
    assert_eq!(
        env.marks().await?.len(),
        0,
        "the owner of the workload decides"
    );
    // As after a restart by the owner of the workload.
    env.run_since("a", Timestamp::now()).await?;
    assert!(env.done().await?.ends_with("healthy: 1 workloads"));
    Ok(())
}

async fn pods_of_a_workload_that_is_not_rolled_out_are_waited_for(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::long_running(test_cluster).await?;
    let paused = |paused: bool| json!({ "spec": { "paused": paused } });
    env.patch_workload("a", paused(true)).await?;
    env.rotate(SECOND).await?;
    env.until_marked(1).await?;
    let still = "were restarted, and still run pods from before the pair: Deployment/a";
    env.until("its pods are waited for", async || {
        let orders = env.resources.get("orders").await?;
        Ok((message(&orders, RESTARTED) == still).then_some(()))
    })
    .await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    let since = json!({ "restarts": { "restartingSince": "2026-01-01T00:00:00Z" } });
    env.edit_status(since).await?;
    assert_eq!(env.held().await?, still);
    env.patch_workload("a", paused(false)).await?;
    env.heal("Deployment", "a").await?;
    env.done().await?;
    Ok(())
}

async fn pods_of_kinds_that_are_not_restarted_are_named(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::long_running(test_cluster).await?;
    env.consumer("bare", an_hour_ago()).await?;
    env.rotate(SECOND).await?;
    env.until_marked(1).await?;
    env.heal("Deployment", "a").await?;
    let words = env.held().await?;
    assert!(
        words.ends_with("restart them yourself: Pod/bare"),
        "{words}"
    );
    env.pods()
        .delete("bare", &DeleteParams::default().grace_period(0))
        .await?;
    env.done().await?;
    Ok(())
}

async fn a_workload_without_replicas_is_restarted_only_with_what_runs_its_pods(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    let named = json!({
        "scope": "Workloads", "workloads": [{ "kind": "Deployment", "name": "a" }],
    });
    env.wants_restarts(named).await?;
    env.consumer_of("Deployment", "a").await?;
    env.patch_workload("a", json!({ "spec": { "replicas": 0 } }))
        .await?;
    for name in ["b", "another"] {
        env.consumer(name, an_hour_ago()).await?;
    }
    let label = Patch::Merge(json!({ "metadata": { "labels": { "app": "a" } } }));
    let parameters = PatchParams::default();
    env.pods().patch("b", &parameters, &label).await?;
    env.rotate(SECOND).await?;
    env.until_marked(1).await?;
    let words = env.held().await?;
    assert!(words.ends_with("restart them yourself: Pod/b"), "{words}");
    env.run_since("a", Timestamp::now()).await?;
    env.done().await?;
    Ok(())
}

async fn a_workload_that_restarted_by_itself_is_left_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::long_running(test_cluster).await?;
    env.publish(SECOND).await?;
    env.run_since("a", Timestamp::now()).await?;
    env.start_operator().await?;
    assert!(
        env.done()
            .await?
            .starts_with("no workload needed a restart")
    );
    assert_eq!(env.marks().await?.len(), 0);
    Ok(())
}

async fn a_workload_whose_restart_is_refused_is_named_and_holds_no_other_up(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, FLAG).await?;
    env.wants_restarts(json!({ "scope": "Consumers" })).await?;
    for name in ["a", "b", "c"] {
        env.consumer_of("Deployment", name).await?;
    }
    env.proxy.set_fault(Box::new(|head| {
        let of_a = head.resource == "deployments" && head.name.as_deref() == Some("a");
        if of_a && head.verb.writes() {
            Fault::Answer(Answer::status(422, "Invalid", "denied by a policy"))
        } else {
            Fault::Pass
        }
    }));
    env.rotate(SECOND).await?;
    for name in ["b", "c"] {
        let what = format!("{name} is restarted");
        env.until(&what, async || {
            let marks = env.marks().await?;
            Ok(marks
                .contains_key(&format!("Deployment/{name}"))
                .then_some(()))
        })
        .await?;
        env.heal("Deployment", name).await?;
    }
    let words = env.held().await?;
    assert!(words.contains("Deployment/a"), "{words}");
    assert!(!env.marks().await?.contains_key("Deployment/a"));
    env.proxy.clear_fault();
    env.until("a is restarted once it may be", async || {
        let marks = env.marks().await?;
        Ok(marks.contains_key("Deployment/a").then_some(()))
    })
    .await
}
