//! A published pair is verified again after its interval.
//!
//! The shortest interval is 5 minutes, so the operator is started with a status whose last verification is 4 min 20 s
//! old. With the jitter, the next one is due within 70 s.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::sts::Answer;
use futures::FutureExt;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    scene::{PAIR, Scene, Stage, Test},
    steps::{TARGET, assert_holds},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "an_interval_that_is_over_costs_one_question_for_each_pair",
            |stage| due(stage).boxed_local(),
        ),
        (
            "aws_that_is_away_when_the_interval_is_over_leaves_the_pair_ready",
            |stage| away(stage).boxed_local(),
        ),
    ]
}

fn spec() -> serde_json::Value {
    json!({ "validation": { "interval": "5m" } })
}

/// Restarts the operator 4 min 20 s after the last verification: the next one is due in 10 s to 70 s.
async fn age(scene: &mut Scene, names: &[&str]) -> Result<Timestamp> {
    scene.stop_operator();
    let proven = Timestamp::now().checked_sub(SignedDuration::from_secs(260))?;
    let proven = Timestamp::from_second(proven.as_second())?;
    let patch = Patch::Merge(json!({ "status": { "lastVerifiedTime": proven.to_string() } }));
    for name in names {
        scene
            .resources
            .patch_status(name, &PatchParams::default(), &patch)
            .await?;
    }
    scene.start_operator().await?;
    Ok(proven)
}

async fn due(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open_published(stage, spec()).await?;
    scene.source("same-pair", PAIR).await?;
    scene.resource("bills", "same-pair", spec()).await?;
    scene.until_ready("bills").await?;
    scene.until_idle().await?;
    let before = scene.snapshot(TARGET).await?;
    let calls = scene.sts.calls().len();
    let mark = scene.proxy.mark();
    let proven = age(&mut scene, &["orders", "bills"]).await?;
    for name in ["orders", "bills"] {
        let object = scene
            .until("the pair is proven again", async || {
                let object = scene.resources.get(name).await?;
                let status = object.status.as_ref().context("no status")?;
                let last = status.last_verified_time.as_ref();
                let anew = last.is_some_and(|last| last.0 > proven);
                Ok(anew.then_some(object))
            })
            .await?;
        assert_holds(&object, "Ready", "True", "Published");
    }
    let costs = scene.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (2, 2), "{costs:?}");
    assert_eq!(scene.sts.calls().len(), calls + 1);
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}

async fn away(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open_published(stage, spec()).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.sts.answer(PAIR.0, Answer::Cut);
    let proven = age(&mut scene, &["orders"]).await?;
    let object = scene.until_doubted("orders", "StsUnreachable").await?;
    assert_holds(&object, "Published", "True", "Published");
    let status = object.status.context("no status")?;
    assert_eq!(status.last_verified_time.map(|time| time.0), Some(proven));
    assert!(status.identity.is_some());
    assert_eq!(scene.snapshot(TARGET).await?, before);

    scene.accept(PAIR);
    let back = scene.until_status("orders", "Verified", "True", "IdentityVerified");
    let object = tokio::time::timeout(Duration::from_mins(2), back).await??;
    assert_holds(&object, "Ready", "True", "Published");
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}
