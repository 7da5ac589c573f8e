//! The API server rejects a write, or its response is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use cluster::proxy::{Answer, Fault, Hook, RequestHead, Verb};
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    scene::{PAIR, SECOND, Scene, Stage, condition},
};

tests![
    f3_a_status_write_that_is_lost_is_repeated_and_the_target_not_written_again,
    f3_a_status_that_changed_meanwhile_is_written_again_and_the_target_not,
    a_status_that_is_refused_is_logged_once_and_not_tried_again_soon,
    f2_a_create_that_is_cut_off_though_committed_is_not_repeated,
    f2_a_create_that_times_out_though_committed_is_not_repeated,
    f2_a_replace_that_is_cut_off_though_committed_is_not_repeated,
    f24_a_full_quota_is_reported_and_the_write_repeated_after_a_pause,
    a_full_quota_does_not_hinder_an_adoption,
    f24_a_namespace_that_goes_away_is_left_in_peace,
    f20_too_many_requests_hold_one_resource_back_and_no_other,
];

fn is_status_write(head: &RequestHead) -> bool {
    head.verb == Verb::Patch && head.subresource.as_deref() == Some("status")
}

fn is_secret(head: &RequestHead, verb: Verb) -> bool {
    head.verb == verb && head.resource == "secrets"
}

/// A fault for the first request that matches.
fn once(
    matches: impl Fn(&RequestHead) -> bool + Send + Sync + 'static,
    fault: impl Fn() -> Fault + Send + Sync + 'static,
) -> Hook {
    let seen = AtomicUsize::new(0);
    Box::new(move |head| {
        if matches(head) && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            fault()
        } else {
            Fault::Pass
        }
    })
}

/// Creates a resource with this fault. The target has to be written once.
async fn create_despite(stage: Arc<Stage>, hook: Hook) -> Result<Scene> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    scene.proxy.set_fault(hook);
    let mark = scene.proxy.mark();
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    assert!(costs.gets <= 4, "{costs:?}");
    assert_eq!(scene.published("orders").await?.revision, 1);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(scene)
}

async fn f3_a_status_write_that_is_lost_is_repeated_and_the_target_not_written_again(
    stage: Arc<Stage>,
) -> Result<()> {
    let hook = once(is_status_write, || Fault::CutBefore);
    create_despite(stage, hook).await?;
    Ok(())
}

async fn f3_a_status_that_changed_meanwhile_is_written_again_and_the_target_not(
    stage: Arc<Stage>,
) -> Result<()> {
    let conflict = || {
        Fault::Answer(Answer::status(
            409,
            "Conflict",
            "the object has been modified",
        ))
    };
    create_despite(stage, once(is_status_write, conflict)).await?;
    Ok(())
}

async fn a_status_that_is_refused_is_logged_once_and_not_tried_again_soon(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    scene.proxy.set_fault(Box::new(|head| {
        if is_status_write(head) {
            Fault::Answer(Answer::status(422, "Invalid", "the status is invalid"))
        } else {
            Fault::Pass
        }
    }));
    let mark = scene.proxy.mark();
    scene.resource("orders", "pair", json!({})).await?;
    scene
        .until("the refusal is counted", async || {
            let metrics = scene.get_http("/metrics").await?;
            Ok(metrics
                .contains("failures_total{kind=\"status_refused\"} 1")
                .then_some(()))
        })
        .await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    assert_eq!(
        costs.writes.get("staticawscredentials/status"),
        Some(&1),
        "{costs:?}"
    );
    let log = scene.log()?;
    assert_eq!(log.matches("refuses the status").count(), 1, "{log}");

    // A new generation is tried again.
    scene.proxy.clear_fault();
    scene
        .change("orders", json!({ "validation": { "interval": "2h" } }))
        .await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn f2_a_create_that_is_cut_off_though_committed_is_not_repeated(
    stage: Arc<Stage>,
) -> Result<()> {
    let hook = once(
        |head| is_secret(head, Verb::Create),
        || Fault::CutAfterCommit,
    );
    create_despite(stage, hook).await?;
    Ok(())
}

async fn f2_a_create_that_times_out_though_committed_is_not_repeated(
    stage: Arc<Stage>,
) -> Result<()> {
    let timeout = || Fault::AnswerAfterCommit(Answer::status(504, "Timeout", "timed out"));
    create_despite(stage, once(|head| is_secret(head, Verb::Create), timeout)).await?;
    Ok(())
}

async fn f2_a_replace_that_is_cut_off_though_committed_is_not_repeated(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let mark = scene.proxy.mark();
    scene.proxy.set_fault(once(
        |head| is_secret(head, Verb::Update),
        || Fault::CutAfterCommit,
    ));
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(scene.published("orders").await?.revision, 2);
    assert_eq!(scene.sts.calls().len(), 2);
    Ok(())
}

async fn f24_a_full_quota_is_reported_and_the_write_repeated_after_a_pause(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    let quotas = fill_quota(&scene).await?;
    let mark = scene.proxy.mark();
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene
        .until_says("orders", "Ready", "False", "TargetWriteRefused")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let costs = scene.proxy.counts(mark);
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");

    quotas.delete("full", &DeleteParams::default()).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

/// From now on the namespace accepts no further Secret.
async fn fill_quota(scene: &Scene) -> Result<Api<ResourceQuota>> {
    let quotas: Api<ResourceQuota> =
        Api::namespaced(scene.stage.cluster().client(), &scene.namespace);
    let hard = json!({ "count/secrets": "1" });
    let quota = json!({ "metadata": { "name": "full" }, "spec": { "hard": hard } });
    let quota: ResourceQuota = serde_json::from_value(quota)?;
    quotas.create(&PostParams::default(), &quota).await?;
    // The quota controller does not run here.
    let status = Patch::Merge(json!({ "status": { "hard": hard, "used": hard } }));
    quotas
        .patch_status("full", &PatchParams::default(), &status)
        .await?;
    Ok(quotas)
}

async fn a_full_quota_does_not_hinder_an_adoption(stage: Arc<Stage>) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let scene = Scene::settled_with(stage, retain.clone()).await?;
    let left = scene.version(TARGET).await?.0;
    scene.delete_resource("orders").await?;
    fill_quota(&scene).await?;
    scene.resource("orders", "pair", retain).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.version(TARGET).await?.0, left);
    Ok(())
}

async fn f24_a_namespace_that_goes_away_is_left_in_peace(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let cluster = scene.stage.cluster();
    // The operator's rights are usually in another namespace. Without an object that is held, the namespace would be
    // gone before the checks.
    let hold = r#"{"metadata": {"finalizers": ["example.com/hold"]}}"#;
    let kept = [
        "secret/pair",
        "serviceaccount/operator",
        "role/operator",
        "rolebinding/operator",
    ];
    for object in kept {
        let namespace = scene.namespace.as_str();
        cluster
            .kubectl(&["patch", object, "-n", namespace, "--type=merge", "-p", hold])
            .await?;
    }
    scene.until_agreed("orders").await?;
    scene.until_idle().await?;
    let mark = scene.proxy.mark();
    cluster
        .kubectl(&["delete", "namespace", &scene.namespace, "--wait=false"])
        .await?;
    scene
        .until("the namespace is empty but for what is held", async || {
            let target = scene.secrets.get_opt(TARGET).await?;
            let resource = scene.resources.get_opt("orders").await?;
            Ok((target.is_none() && resource.is_none()).then_some(()))
        })
        .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    scene.until_queue_empty().await?;
    let costs = scene.proxy.counts(mark);
    assert!(costs.written() <= 3 && costs.gets <= 4, "{costs:?}");
    let log = scene.log()?;
    assert!(!log.contains("the run failed"), "{log}");
    Ok(())
}

async fn f20_too_many_requests_hold_one_resource_back_and_no_other(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    scene.source("held", PAIR).await?;
    scene.proxy.set_fault(Box::new(|head| {
        if head.verb == Verb::Get && head.name.as_deref() == Some("held") {
            let answer = Answer::status(429, "TooManyRequests", "later");
            Fault::Answer(answer.header("retry-after", "86400"))
        } else {
            Fault::Pass
        }
    }));
    scene.resource("waiting", "held", json!({})).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    scene.proxy.clear_fault();
    scene.until_agreed("waiting").await?;
    Ok(())
}
