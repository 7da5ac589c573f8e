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
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    suite::tests,
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
async fn create_despite(test_cluster: Arc<TestCluster>, hook: Hook) -> Result<TestEnv> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.proxy.set_fault(hook);
    let mark = env.proxy.mark();
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    let costs = env.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    assert!(costs.gets <= 4, "{costs:?}");
    assert_eq!(env.published("orders").await?.revision, 1);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(env)
}

async fn f3_a_status_write_that_is_lost_is_repeated_and_the_target_not_written_again(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let hook = once(is_status_write, || Fault::CutBefore);
    create_despite(test_cluster, hook).await?;
    Ok(())
}

async fn f3_a_status_that_changed_meanwhile_is_written_again_and_the_target_not(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let conflict = || {
        Fault::Answer(Answer::status(
            409,
            "Conflict",
            "the object has been modified",
        ))
    };
    create_despite(test_cluster, once(is_status_write, conflict)).await?;
    Ok(())
}

async fn a_status_that_is_refused_is_logged_once_and_not_tried_again_soon(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.proxy.set_fault(Box::new(|head| {
        if is_status_write(head) {
            Fault::Answer(Answer::status(422, "Invalid", "the status is invalid"))
        } else {
            Fault::Pass
        }
    }));
    let mark = env.proxy.mark();
    env.resource("orders", "pair", json!({})).await?;
    env.until("the refusal is counted", async || {
        let metrics = env.get_http("/metrics").await?;
        Ok(metrics
            .contains("failures_total{kind=\"status_refused\"} 1")
            .then_some(()))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let costs = env.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    assert_eq!(
        costs.writes.get("staticawscredentials/status"),
        Some(&1),
        "{costs:?}"
    );
    let log = env.log()?;
    assert_eq!(log.matches("refuses the status").count(), 1, "{log}");

    // A new generation is tried again.
    env.proxy.clear_fault();
    env.change("orders", json!({ "validation": { "interval": "2h" } }))
        .await?;
    env.until_converged("orders").await?;
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn f2_a_create_that_is_cut_off_though_committed_is_not_repeated(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let hook = once(
        |head| is_secret(head, Verb::Create),
        || Fault::CutAfterCommit,
    );
    create_despite(test_cluster, hook).await?;
    Ok(())
}

async fn f2_a_create_that_times_out_though_committed_is_not_repeated(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let timeout = || Fault::AnswerAfterCommit(Answer::status(504, "Timeout", "timed out"));
    create_despite(
        test_cluster,
        once(|head| is_secret(head, Verb::Create), timeout),
    )
    .await?;
    Ok(())
}

async fn f2_a_replace_that_is_cut_off_though_committed_is_not_repeated(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    env.proxy.set_fault(once(
        |head| is_secret(head, Verb::Update),
        || Fault::CutAfterCommit,
    ));
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let costs = env.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(env.published("orders").await?.revision, 2);
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

async fn f24_a_full_quota_is_reported_and_the_write_repeated_after_a_pause(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let quotas = fill_quota(&env).await?;
    let mark = env.proxy.mark();
    env.resource("orders", "pair", json!({})).await?;
    let object = env
        .until_condition("orders", "Ready", "False", "TargetWriteRefused")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let costs = env.proxy.counts(mark);
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");

    quotas.delete("full", &DeleteParams::default()).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

/// From now on the namespace accepts no further Secret.
async fn fill_quota(env: &TestEnv) -> Result<Api<ResourceQuota>> {
    let quotas: Api<ResourceQuota> =
        Api::namespaced(env.test_cluster.cluster().client(), &env.namespace);
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

async fn a_full_quota_does_not_hinder_an_adoption(test_cluster: Arc<TestCluster>) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let env = TestEnv::settled_with(test_cluster, retain.clone()).await?;
    let left = env.version(TARGET).await?.0;
    env.delete_resource("orders").await?;
    fill_quota(&env).await?;
    env.resource("orders", "pair", retain).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.version(TARGET).await?.0, left);
    Ok(())
}

async fn f24_a_namespace_that_goes_away_is_left_in_peace(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let cluster = env.test_cluster.cluster();
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
        let namespace = env.namespace.as_str();
        cluster
            .kubectl(&["patch", object, "-n", namespace, "--type=merge", "-p", hold])
            .await?;
    }
    env.until_converged("orders").await?;
    env.until_idle().await?;
    let mark = env.proxy.mark();
    cluster
        .kubectl(&["delete", "namespace", &env.namespace, "--wait=false"])
        .await?;
    env.until("the namespace is empty but for what is held", async || {
        let target = env.secrets.get_opt(TARGET).await?;
        let resource = env.resources.get_opt("orders").await?;
        Ok((target.is_none() && resource.is_none()).then_some(()))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    env.until_queue_empty().await?;
    let costs = env.proxy.counts(mark);
    assert!(costs.written() <= 3 && costs.gets <= 4, "{costs:?}");
    let log = env.log()?;
    assert!(!log.contains("the reconcile failed"), "{log}");
    Ok(())
}

async fn f20_too_many_requests_hold_one_resource_back_and_no_other(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.source("held", PAIR).await?;
    env.proxy.set_fault(Box::new(|head| {
        if head.verb == Verb::Get && head.name.as_deref() == Some("held") {
            let answer = Answer::status(429, "TooManyRequests", "later");
            Fault::Answer(answer.header("retry-after", "86400"))
        } else {
            Fault::Pass
        }
    }));
    env.resource("waiting", "held", json!({})).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    env.proxy.clear_fault();
    env.until_converged("waiting").await?;
    Ok(())
}
