//! A new key that AWS does not know yet.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::FutureExt;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::harness::{
    steps::{TARGET, assert_holds, assert_serves_last_known_good, numbered},
    test_env::{SECOND, Test, TestCluster, TestEnv, condition, message},
};

const MINUTE: Duration = Duration::from_mins(1);

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "s5_a_key_that_aws_knows_after_some_seconds_is_never_reported_refused",
            |test_cluster| known_late(test_cluster).boxed_local(),
        ),
        (
            "a_key_that_stays_unknown_is_refused_after_a_minute_and_settles_once",
            |test_cluster| unknown(test_cluster).boxed_local(),
        ),
        (
            "a_restart_and_a_touch_do_not_prolong_the_settling",
            |test_cluster| prolonged(test_cluster).boxed_local(),
        ),
        (
            "a_pair_that_is_touched_all_the_time_settles_with_no_more_questions",
            |test_cluster| touched(test_cluster).boxed_local(),
        ),
        (
            "a_settling_that_began_in_the_future_ends_a_minute_from_now",
            |test_cluster| future(test_cluster).boxed_local(),
        ),
        (
            "a_settling_pair_gives_way_to_another_at_once",
            |test_cluster| replaced(test_cluster).boxed_local(),
        ),
    ]
}

async fn known_late(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    for (number, late) in [5, 15].into_iter().enumerate() {
        let (id, secret) = numbered(number);
        env.forget((&id, &secret));
        env.source("pair", (&id, &secret)).await?;
        let object = env.until_reconciling("orders", "Settling").await?;
        assert_serves_last_known_good(&object);
        if number == 0 {
            assert_eq!(env.snapshot(TARGET).await?, before);
        }
        tokio::time::sleep(Duration::from_secs(late)).await;
        let refused = env.sts.calls_for(&id).len();
        env.accept((&id, &secret));
        env.sts.called(&id, refused + 1).await;
        let object = env.until_ready("orders").await?;
        assert_eq!(object.status.context("no status")?.settling, None);
        assert_eq!(env.key_id(TARGET).await?, id);
        let calls = env.sts.calls_for(&id);
        let most = usize::try_from(late / 2 + 3)?;
        assert!(calls.len() <= most, "{} calls", calls.len());
    }
    for version in env.invariants.history("orders").await? {
        assert_eq!(condition(&version, "Stalled"), None);
        let verified = condition(&version, "Verified").map(|(status, _)| status);
        assert_ne!(verified.as_deref(), Some("False"));
    }
    Ok(())
}

async fn unknown(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    env.forget(SECOND);
    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Verified", "False", "AccessKeyUnknown");
    assert_serves_last_known_good(&object);
    let text = message(&object, "Ready");
    for named in ["eu-west-1", "partition", "region", "deactivated", "deleted"] {
        assert!(text.contains(named), "{text}");
    }
    let calls = env.sts.calls_for(SECOND.0);
    let first = calls.first().context("AWS was not asked")?.at;
    let last = calls.last().context("AWS was not asked")?.at;
    assert!(calls.len() <= 15, "{} calls", calls.len());
    let asked_for = last - first;
    assert!(
        asked_for + Duration::from_secs(1) >= MINUTE,
        "refused after {asked_for:?}"
    );
    let costs = env.costs(mark).await?;
    assert_eq!(costs.written(), 2, "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, before);

    // A pair settles once. A touch or a restart causes at most one call.
    env.touch("pair").await?;
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_eq!(condition(&object, "Reconciling"), None);
    env.until_idle().await?;
    assert!(env.sts.calls_for(SECOND.0).len() <= calls.len() + 1);
    env.stop_operator();
    let mark = env.proxy.mark();
    env.start_operator().await?;
    let costs = env.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");
    assert!(env.sts.calls_for(SECOND.0).len() <= calls.len() + 1);

    // IAM can reactivate a key.
    env.accept_again(SECOND).await;
    env.touch("pair").await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn prolonged(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open(test_cluster).await?;
    env.forget(SECOND);
    let began = Instant::now();
    env.source("pair", SECOND).await?;
    env.resource("orders", "pair", json!({})).await?;
    let object = env.until_reconciling("orders", "Settling").await?;
    let since = object.status.and_then(|status| status.settling);
    let since = since.context("nothing settles")?;
    assert_eq!(since.key_id_suffix, "L2B4");

    env.sts.called(SECOND.0, 3).await;
    env.stop_operator();
    env.start_operator().await?;
    env.touch("pair").await?;
    let object = env.until_reconciling("orders", "Settling").await?;
    assert_eq!(
        object.status.and_then(|status| status.settling),
        Some(since)
    );
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    let took = began.elapsed();
    assert!(
        took < MINUTE + Duration::from_secs(15),
        "refused after {took:?}"
    );
    let calls = env.sts.calls_for(SECOND.0).len();
    // The restart and the touch each cause one call.
    assert!(calls <= 17, "{calls} calls");
    assert_eq!(env.snapshot(TARGET).await?, None);
    Ok(())
}

async fn touched(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.forget(SECOND);
    env.source("pair", SECOND).await?;
    env.resource("orders", "pair", json!({})).await?;
    let began = Instant::now();
    // A touch after the rejection would cause another call.
    while began.elapsed() + Duration::from_secs(3) < MINUTE {
        env.touch("pair").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    let calls = env.sts.calls_for(SECOND.0).len();
    assert!(calls <= 15, "{calls} calls");
    Ok(())
}

async fn future(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open(test_cluster).await?;
    env.forget(SECOND);
    env.source("pair", SECOND).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_reconciling("orders", "Settling").await?;
    env.stop_operator();
    let since = Timestamp::now().checked_add(SignedDuration::from_hours(1))?;
    let since = Timestamp::from_second(since.as_second())?;
    let patch = Patch::Merge(json!({ "status": { "settling": { "since": since.to_string() } } }));
    env.resources
        .patch_status("orders", &PatchParams::default(), &patch)
        .await?;
    env.start_operator().await?;
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    let calls = env.sts.calls_for(SECOND.0).len();
    assert!(calls <= 17, "{calls} calls");
    Ok(())
}

async fn replaced(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let (id, secret) = numbered(0);
    env.forget((&id, &secret));
    env.source("pair", (&id, &secret)).await?;
    env.until_reconciling("orders", "Settling").await?;
    env.source("pair", SECOND).await?;
    let object = env.until_ready("orders").await?;
    assert_eq!(object.status.context("no status")?.settling, None);
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    let asked = env.sts.calls_for(&id).len();
    // A superseded pair is never sent to STS again: that would count as a use of its key.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(env.sts.calls_for(&id).len(), asked);
    Ok(())
}
