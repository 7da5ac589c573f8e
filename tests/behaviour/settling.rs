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

use crate::{
    scene::{SECOND, Scene, Stage, Test, condition, message},
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
};

const MINUTE: Duration = Duration::from_mins(1);

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "s5_a_key_that_aws_knows_after_some_seconds_is_never_reported_refused",
            |stage| known_late(stage).boxed_local(),
        ),
        (
            "a_key_that_stays_unknown_is_refused_after_a_minute_and_settles_once",
            |stage| unknown(stage).boxed_local(),
        ),
        (
            "a_restart_and_a_touch_do_not_prolong_the_settling",
            |stage| prolonged(stage).boxed_local(),
        ),
        (
            "a_pair_that_is_touched_all_the_time_settles_with_no_more_questions",
            |stage| touched(stage).boxed_local(),
        ),
        (
            "a_settling_that_began_in_the_future_ends_a_minute_from_now",
            |stage| future(stage).boxed_local(),
        ),
        ("a_settling_pair_gives_way_to_another_at_once", |stage| {
            replaced(stage).boxed_local()
        }),
    ]
}

async fn known_late(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    for (number, late) in [5, 15].into_iter().enumerate() {
        let (id, secret) = crate::steps::numbered(number);
        scene.forget((&id, &secret));
        scene.source("pair", (&id, &secret)).await?;
        let object = scene.until_awaited("orders", "Settling").await?;
        assert_serves_last_known_good(&object);
        if number == 0 {
            assert_eq!(scene.snapshot(TARGET).await?, before);
        }
        tokio::time::sleep(Duration::from_secs(late)).await;
        let refused = scene.sts.calls_for(&id).len();
        scene.accept((&id, &secret));
        scene.sts.called(&id, refused + 1).await;
        let object = scene.until_ready("orders").await?;
        assert_eq!(object.status.context("no status")?.settling, None);
        assert_eq!(scene.key_id(TARGET).await?, id);
        let calls = scene.sts.calls_for(&id);
        let most = usize::try_from(late / 2 + 3)?;
        assert!(calls.len() <= most, "{} calls", calls.len());
    }
    for version in scene.witness.history("orders").await? {
        assert_eq!(condition(&version, "Stalled"), None);
        let verified = condition(&version, "Verified").map(|(status, _)| status);
        assert_ne!(verified.as_deref(), Some("False"));
    }
    Ok(())
}

async fn unknown(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.forget(SECOND);
    let mark = scene.proxy.mark();
    scene.source("pair", SECOND).await?;
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Verified", "False", "AccessKeyUnknown");
    assert_serves_last_known_good(&object);
    let text = message(&object, "Ready");
    for named in ["eu-west-1", "partition", "region", "deactivated", "deleted"] {
        assert!(text.contains(named), "{text}");
    }
    let calls = scene.sts.calls_for(SECOND.0);
    let first = calls.first().context("AWS was not asked")?.at;
    let last = calls.last().context("AWS was not asked")?.at;
    assert!(calls.len() <= 15, "{} calls", calls.len());
    let asked_for = last - first;
    assert!(
        asked_for + Duration::from_secs(1) >= MINUTE,
        "refused after {asked_for:?}"
    );
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.written(), 2, "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, before);

    // A pair settles once. A touch or a restart causes at most one call.
    scene.touch("pair").await?;
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_eq!(condition(&object, "Reconciling"), None);
    scene.until_idle().await?;
    assert!(scene.sts.calls_for(SECOND.0).len() <= calls.len() + 1);
    scene.stop_operator();
    let mark = scene.proxy.mark();
    scene.start_operator().await?;
    let costs = scene.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");
    assert!(scene.sts.calls_for(SECOND.0).len() <= calls.len() + 1);

    // IAM can reactivate a key.
    scene.accept_again(SECOND).await;
    scene.touch("pair").await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn prolonged(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open(stage).await?;
    scene.forget(SECOND);
    let began = Instant::now();
    scene.source("pair", SECOND).await?;
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene.until_awaited("orders", "Settling").await?;
    let since = object.status.and_then(|status| status.settling);
    let since = since.context("nothing settles")?;
    assert_eq!(since.key_id_suffix, "L2B4");

    scene.sts.called(SECOND.0, 3).await;
    scene.stop_operator();
    scene.start_operator().await?;
    scene.touch("pair").await?;
    let object = scene.until_awaited("orders", "Settling").await?;
    assert_eq!(
        object.status.and_then(|status| status.settling),
        Some(since)
    );
    scene.until_stalled("orders", "AccessKeyUnknown").await?;
    let took = began.elapsed();
    assert!(
        took < MINUTE + Duration::from_secs(15),
        "refused after {took:?}"
    );
    let calls = scene.sts.calls_for(SECOND.0).len();
    // The restart and the touch each cause one call.
    assert!(calls <= 17, "{calls} calls");
    assert_eq!(scene.snapshot(TARGET).await?, None);
    Ok(())
}

async fn touched(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.forget(SECOND);
    scene.source("pair", SECOND).await?;
    scene.resource("orders", "pair", json!({})).await?;
    let began = Instant::now();
    // A touch after the rejection would cause another call.
    while began.elapsed() + Duration::from_secs(3) < MINUTE {
        scene.touch("pair").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    scene.until_stalled("orders", "AccessKeyUnknown").await?;
    let calls = scene.sts.calls_for(SECOND.0).len();
    assert!(calls <= 15, "{calls} calls");
    Ok(())
}

async fn future(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open(stage).await?;
    scene.forget(SECOND);
    scene.source("pair", SECOND).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_awaited("orders", "Settling").await?;
    scene.stop_operator();
    let since = Timestamp::now().checked_add(SignedDuration::from_hours(1))?;
    let since = Timestamp::from_second(since.as_second())?;
    let patch = Patch::Merge(json!({ "status": { "settling": { "since": since.to_string() } } }));
    scene
        .resources
        .patch_status("orders", &PatchParams::default(), &patch)
        .await?;
    scene.start_operator().await?;
    scene.until_stalled("orders", "AccessKeyUnknown").await?;
    let calls = scene.sts.calls_for(SECOND.0).len();
    assert!(calls <= 17, "{calls} calls");
    Ok(())
}

async fn replaced(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let (id, secret) = crate::steps::numbered(0);
    scene.forget((&id, &secret));
    scene.source("pair", (&id, &secret)).await?;
    scene.until_awaited("orders", "Settling").await?;
    scene.source("pair", SECOND).await?;
    let object = scene.until_ready("orders").await?;
    assert_eq!(object.status.context("no status")?.settling, None);
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    let asked = scene.sts.calls_for(&id).len();
    // A superseded pair is never sent to STS again: that would count as a use of its key.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.sts.calls_for(&id).len(), asked);
    Ok(())
}
