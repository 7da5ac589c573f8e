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
    actions::tests,
    consumers::running,
    restarts::{FLAG, RESTARTED},
    scene::{SECOND, Scene, Stage, message},
};

tests![
    a_controller_that_takes_the_restart_back_is_named,
    pods_of_a_workload_that_is_not_rolled_out_are_waited_for,
    pods_of_kinds_that_are_not_restarted_are_named,
    a_workload_without_replicas_is_restarted_only_with_what_runs_its_pods,
    a_workload_that_restarted_by_itself_is_left_alone,
    a_workload_whose_restart_is_refused_is_named_and_holds_no_other_up,
];

impl Scene {
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
    async fn long_running(stage: Arc<Stage>) -> Result<Self> {
        let scene = Self::rotated(stage, FLAG).await?;
        scene
            .wants_restarts(json!({ "scope": "Consumers" }))
            .await?;
        scene.consumer_of("Deployment", "a").await?;
        scene.run_since("a", an_hour_ago()).await?;
        Ok(scene)
    }
}

fn an_hour_ago() -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(1)
}

async fn a_controller_that_takes_the_restart_back_is_named(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::long_running(stage).await?;
    scene.rotate(SECOND).await?;
    scene.until_marked(1).await?;
    let without = json!({ "spec": { "template": { "metadata": { "annotations": null } } } });
    scene.patch_workload("a", without).await?;
    let words = scene.held().await?;
    assert!(
        words.ends_with("restart them there: Deployment/a"),
        "{words}"
    );
    scene.until_idle().await?;
    assert_eq!(
        scene.marks().await?.len(),
        0,
        "the owner of the workload decides"
    );
    // As after a restart by the owner of the workload.
    scene.run_since("a", Timestamp::now()).await?;
    assert!(scene.done().await?.ends_with("healthy: 1 workloads"));
    Ok(())
}

async fn pods_of_a_workload_that_is_not_rolled_out_are_waited_for(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::long_running(stage).await?;
    let paused = |paused: bool| json!({ "spec": { "paused": paused } });
    scene.patch_workload("a", paused(true)).await?;
    scene.rotate(SECOND).await?;
    scene.until_marked(1).await?;
    let still = "were restarted, and still run pods from before the pair: Deployment/a";
    scene
        .until("its pods are waited for", async || {
            let orders = scene.resources.get("orders").await?;
            Ok((message(&orders, RESTARTED) == still).then_some(()))
        })
        .await?;
    scene
        .until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    let since = json!({ "restarts": { "restartingSince": "2026-01-01T00:00:00Z" } });
    scene.edit_status(since).await?;
    assert_eq!(scene.held().await?, still);
    scene.patch_workload("a", paused(false)).await?;
    scene.heal("Deployment", "a").await?;
    scene.done().await?;
    Ok(())
}

async fn pods_of_kinds_that_are_not_restarted_are_named(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::long_running(stage).await?;
    scene.consumer("bare", an_hour_ago()).await?;
    scene.rotate(SECOND).await?;
    scene.until_marked(1).await?;
    scene.heal("Deployment", "a").await?;
    let words = scene.held().await?;
    assert!(
        words.ends_with("restart them yourself: Pod/bare"),
        "{words}"
    );
    scene
        .pods()
        .delete("bare", &DeleteParams::default().grace_period(0))
        .await?;
    scene.done().await?;
    Ok(())
}

async fn a_workload_without_replicas_is_restarted_only_with_what_runs_its_pods(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::rotated(stage, FLAG).await?;
    let named = json!({
        "scope": "Workloads", "workloads": [{ "kind": "Deployment", "name": "a" }],
    });
    scene.wants_restarts(named).await?;
    scene.consumer_of("Deployment", "a").await?;
    scene
        .patch_workload("a", json!({ "spec": { "replicas": 0 } }))
        .await?;
    for name in ["b", "another"] {
        scene.consumer(name, an_hour_ago()).await?;
    }
    let label = Patch::Merge(json!({ "metadata": { "labels": { "app": "a" } } }));
    let parameters = PatchParams::default();
    scene.pods().patch("b", &parameters, &label).await?;
    scene.rotate(SECOND).await?;
    scene.until_marked(1).await?;
    let words = scene.held().await?;
    assert!(words.ends_with("restart them yourself: Pod/b"), "{words}");
    scene.run_since("a", Timestamp::now()).await?;
    scene.done().await?;
    Ok(())
}

async fn a_workload_that_restarted_by_itself_is_left_alone(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::long_running(stage).await?;
    scene.publish(SECOND).await?;
    scene.run_since("a", Timestamp::now()).await?;
    scene.start_operator().await?;
    assert!(
        scene
            .done()
            .await?
            .starts_with("no workload needed a restart")
    );
    assert_eq!(scene.marks().await?.len(), 0);
    Ok(())
}

async fn a_workload_whose_restart_is_refused_is_named_and_holds_no_other_up(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::rotated(stage, FLAG).await?;
    scene
        .wants_restarts(json!({ "scope": "Consumers" }))
        .await?;
    for name in ["a", "b", "c"] {
        scene.consumer_of("Deployment", name).await?;
    }
    scene.proxy.set_fault(Box::new(|head| {
        let of_a = head.resource == "deployments" && head.name.as_deref() == Some("a");
        if of_a && head.verb.writes() {
            Fault::Answer(Answer::status(422, "Invalid", "denied by a policy"))
        } else {
            Fault::Pass
        }
    }));
    scene.rotate(SECOND).await?;
    for name in ["b", "c"] {
        let what = format!("{name} is restarted");
        scene
            .until(&what, async || {
                let marks = scene.marks().await?;
                Ok(marks
                    .contains_key(&format!("Deployment/{name}"))
                    .then_some(()))
            })
            .await?;
        scene.heal("Deployment", name).await?;
    }
    let words = scene.held().await?;
    assert!(words.contains("Deployment/a"), "{words}");
    assert!(!scene.marks().await?.contains_key("Deployment/a"));
    scene.proxy.clear_fault();
    scene
        .until("a is restarted once it may be", async || {
            let marks = scene.marks().await?;
            Ok(marks.contains_key("Deployment/a").then_some(()))
        })
        .await
}
