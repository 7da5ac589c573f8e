//! After a rotation: when restarts begin, and which workloads count as restarted.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Answer, Fault, RequestHead};
use kube::api::DeleteParams;
use serde_json::json;

use crate::{
    actions::tests,
    restarts::{FLAG, RESTARTED},
    scene::{SECOND, Scene, Stage, message},
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

async fn what_was_counted_before_a_read_failed_is_counted_once(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::rotated(stage, FLAG).await?;
    scene
        .wants_restarts(json!({ "scope": "Consumers", "maxConcurrent": 2 }))
        .await?;
    for name in ["a", "b"] {
        scene.consumer_of("Deployment", name).await?;
    }
    scene.rotate(SECOND).await?;
    scene.until_marked(2).await?;
    scene
        .until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    scene.proxy.set_fault(Box::new(unreadable("b")));
    for name in ["a", "b"] {
        scene.heal("Deployment", name).await?;
    }
    let mark = scene.proxy.mark();
    scene
        .until("b could not be read twice", async || {
            let requests = scene.proxy.since(mark);
            let failed = requests.iter().filter(|one| one.status == Some(500));
            Ok((failed.count() >= 2).then_some(()))
        })
        .await?;
    scene.proxy.clear_fault();
    let orders = scene
        .until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(words.ends_with("healthy: 2 workloads"), "{words}");
    Ok(())
}

async fn a_workload_that_is_gone_is_not_counted_as_healthy(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::rotated(stage, FLAG).await?;
    scene
        .wants_restarts(json!({ "scope": "Consumers" }))
        .await?;
    scene.consumer_of("Deployment", "a").await?;
    scene.rotate(SECOND).await?;
    scene.until_marked(1).await?;
    scene
        .until_status("orders", RESTARTED, "Unknown", "RestartsProgressing")
        .await?;
    scene
        .workloads("Deployment")
        .delete("a", &DeleteParams::default())
        .await?;
    let orders = scene
        .until_status("orders", RESTARTED, "True", RESTARTED)
        .await?;
    let words = message(&orders, RESTARTED);
    assert!(words.starts_with("no workload needed"), "{words}");
    assert!(words.ends_with("healthy: 1"), "{words}");
    Ok(())
}

async fn nobody_is_restarted_before_the_kubelets_period_is_over(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::rotated(stage, FLAG).await?;
    scene
        .wants_restarts(json!({ "scope": "Consumers" }))
        .await?;
    scene.consumer_of("Deployment", "a").await?;
    scene.flag("--kubelet-sync-period", "1h");
    scene.rotate(SECOND).await?;
    scene.until_idle().await?;
    assert_eq!(scene.marks().await?.len(), 0, "91 s are not enough");
    scene.stop_operator();
    let namespace = scene.namespace.clone();
    scene.serve(&[&namespace]);
    scene.flags(FLAG);
    scene.flag("--kubelet-sync-period", "1m30s");
    scene.start_operator().await?;
    scene.until_marked(1).await?;
    Ok(())
}
