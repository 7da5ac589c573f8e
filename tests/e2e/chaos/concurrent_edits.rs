//! Users and programs that edit faster than the operator reconciles.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::proxy::Fault;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    chaos::{
        counts::survived,
        crash_points::{
            run::{Running, prepare},
            scenario,
        },
        target_history::TargetHistory,
        watch_fault_proxy::{DeliveryMode, ReleaseOrder, WatchFaultProxy},
    },
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    f4_a_resource_that_somebody_edits_a_hundred_times_a_second,
    f9_a_source_that_changes_and_changes_back_at_once,
    f9_a_source_that_changed_and_changed_back_unseen,
    f10_a_source_that_was_deleted_and_made_anew_between_two_events,
];

async fn f4_a_resource_that_somebody_edits_a_hundred_times_a_second(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    const EDITS: usize = 250;
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    let annotations =
        |number: usize| json!({ "metadata": { "annotations": { "edit": number.to_string() } } });
    edit_often(&env, EDITS, annotations).await?;
    let costs = env.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");

    env.source("pair", SECOND).await?;
    let interval = |number: usize| json!({ "spec": { "validation": { "interval": format!("{}m", 10 + number) } } });
    edit_often(&env, EDITS, interval).await?;
    env.until_converged("orders").await?;
    let costs = env.costs(mark).await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    // A change of the spec may cost a read, and one more if a write came too late.
    assert!(costs.gets <= 2 * EDITS + 20, "{costs:?}");
    let statuses = costs.writes.get("staticawscredentials/status");
    assert!(
        statuses.is_some_and(|count| *count <= 2 * EDITS),
        "{costs:?}"
    );
    assert_eq!(env.sts.calls().len(), 2);
    let name = "f4_a_resource_that_somebody_edits_a_hundred_times_a_second";
    survived(name, 2 * EDITS, "edits");
    Ok(())
}

async fn edit_often(
    env: &TestEnv,
    times: usize,
    edit: impl Fn(usize) -> serde_json::Value,
) -> Result<()> {
    let mut pause = tokio::time::interval(Duration::from_millis(10));
    for number in 0..times {
        pause.tick().await;
        let patch = Patch::Merge(edit(number));
        let parameters = PatchParams::default();
        env.resources.patch("orders", &parameters, &patch).await?;
    }
    Ok(())
}

async fn f9_a_source_that_changes_and_changes_back_at_once(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    const TIMES: u64 = 20;
    let env = TestEnv::settled(test_cluster).await?;
    let client = env.test_cluster.cluster().client();
    let target_history = TargetHistory::of(client, &env.namespace).await?;
    for number in 0..TIMES {
        env.source("pair", SECOND).await?;
        // Increasing delays, so that the second edit meets every stage of the reconcile.
        tokio::time::sleep(Duration::from_millis(2 * number)).await;
        env.source("pair", PAIR).await?;
        env.until_converged("orders").await?;
        env.until_idle().await?;
        assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    }
    let gone = target_history.check(&[PAIR, SECOND]).await?;
    assert!(gone.is_empty(), "{gone:?}");
    let name = "f9_a_source_that_changes_and_changes_back_at_once";
    survived(name, 20, "changes and back");
    Ok(())
}

/// An environment whose watches hold all events from now on.
async fn held(test_cluster: Arc<TestCluster>) -> Result<(TestEnv, Option<WatchFaultProxy>)> {
    let mut watch_fault_proxy = None;
    let arrange = |proxy: &_| {
        watch_fault_proxy = Some(WatchFaultProxy::start(proxy, DeliveryMode::Pass, |_| {
            Fault::Pass
        }));
    };
    let env = prepare(test_cluster, &scenario::ROTATE, arrange).await?;
    if let Some(watch_fault_proxy) = &watch_fault_proxy {
        watch_fault_proxy.set(DeliveryMode::Hold);
    }
    Ok((env, watch_fault_proxy))
}

/// Delivers only the last event of each object.
fn deliver(watch_fault_proxy: Option<&WatchFaultProxy>) {
    if let Some(watch_fault_proxy) = watch_fault_proxy {
        watch_fault_proxy.set(DeliveryMode::Pass);
        watch_fault_proxy.release("secrets", ReleaseOrder::LatestEvents);
    }
}

async fn f9_a_source_that_changed_and_changed_back_unseen(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, watch_fault_proxy) = held(test_cluster).await?;
    let before = env.version(TARGET).await?;
    env.source("pair", SECOND).await?;
    env.source("pair", PAIR).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    deliver(watch_fault_proxy.as_ref());
    env.until_converged("orders").await?;
    env.until_idle().await?;
    assert_eq!(env.version(TARGET).await?, before);
    assert_eq!(env.published("orders").await?.revision, 1);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn f10_a_source_that_was_deleted_and_made_anew_between_two_events(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    for (pair, revision, questions) in [(SECOND, 2, 2), (PAIR, 1, 1)] {
        let (env, watch_fault_proxy) = held(Arc::clone(&test_cluster)).await?;
        let running = Running::begin(&env).await?;
        let target = env.secrets.get(TARGET).await?.uid();
        env.delete_secret("pair").await?;
        env.source("pair", pair).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        deliver(watch_fault_proxy.as_ref());
        env.until_converged("orders").await?;
        env.until_idle().await?;
        assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
        assert_eq!(env.secrets.get(TARGET).await?.uid(), target);
        assert_eq!(env.published("orders").await?.revision, revision);
        assert_eq!(env.sts.calls().len(), questions);
        let gone = running.target_history.check(&[PAIR, SECOND]).await?;
        assert!(gone.is_empty(), "{gone:?}");
    }
    Ok(())
}
