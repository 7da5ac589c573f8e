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

use crate::harness::{
    steps::{TARGET, assert_holds},
    test_env::{PAIR, Test, TestCluster, TestEnv},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "an_interval_that_is_over_costs_one_question_for_each_pair",
            |test_cluster| due(test_cluster).boxed_local(),
        ),
        (
            "aws_that_is_away_when_the_interval_is_over_leaves_the_pair_ready",
            |test_cluster| away(test_cluster).boxed_local(),
        ),
    ]
}

/// The shortest interval.
pub fn every_5_minutes() -> serde_json::Value {
    json!({ "validation": { "interval": "5m" } })
}

/// Restarts the operator 4 min 20 s after the last verification: the next one is due in 10 s to 70 s.
pub async fn age(env: &mut TestEnv, names: &[&str]) -> Result<Timestamp> {
    env.stop_operator();
    let proven = Timestamp::now().checked_sub(SignedDuration::from_secs(260))?;
    let proven = Timestamp::from_second(proven.as_second())?;
    let patch = Patch::Merge(json!({ "status": { "lastVerifiedTime": proven.to_string() } }));
    for name in names {
        env.resources
            .patch_status(name, &PatchParams::default(), &patch)
            .await?;
    }
    env.start_operator().await?;
    Ok(proven)
}

async fn due(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, every_5_minutes()).await?;
    env.source("same-pair", PAIR).await?;
    env.resource("bills", "same-pair", every_5_minutes())
        .await?;
    env.until_ready("bills").await?;
    env.until_idle().await?;
    let before = env.snapshot(TARGET).await?;
    let calls = env.sts.calls().len();
    let mark = env.proxy.mark();
    let proven = age(&mut env, &["orders", "bills"]).await?;
    for name in ["orders", "bills"] {
        let object = env
            .until("the pair is proven again", async || {
                let object = env.resources.get(name).await?;
                let status = object.status.as_ref().context("no status")?;
                let last = status.last_verified_time.as_ref();
                let anew = last.is_some_and(|last| last.0 > proven);
                Ok(anew.then_some(object))
            })
            .await?;
        assert_holds(&object, "Ready", "True", "Published");
    }
    let costs = env.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (2, 2), "{costs:?}");
    assert_eq!(env.sts.calls().len(), calls + 1);
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn away(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, every_5_minutes()).await?;
    let before = env.snapshot(TARGET).await?;
    env.sts.answer(PAIR.0, Answer::Cut);
    let proven = age(&mut env, &["orders"]).await?;
    let object = env.until_doubted("orders", "StsUnreachable").await?;
    assert_holds(&object, "Published", "True", "Published");
    let status = object.status.context("no status")?;
    assert_eq!(status.last_verified_time.map(|time| time.0), Some(proven));
    assert!(status.identity.is_some());
    assert_eq!(env.snapshot(TARGET).await?, before);

    env.accept(PAIR);
    let back = env.until_status("orders", "Verified", "True", "IdentityVerified");
    let object = tokio::time::timeout(Duration::from_mins(2), back).await??;
    assert_holds(&object, "Ready", "True", "Published");
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}
