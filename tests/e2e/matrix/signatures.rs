//! A signature that STS rejects, though the pair was verified before.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::sts::Answer;
use futures::FutureExt;
use serde_json::json;

use crate::harness::{
    steps::{REJECTION_CACHED, TARGET, assert_serves_last_known_good, numbered},
    test_env::{PAIR, SECOND, Test, TestCluster, TestEnv, condition, message},
};

/// Several, as a proxy of the namespace would break the signatures of all its pairs.
const PAIRS: usize = 3;

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "wrong_signatures_of_proven_pairs_withdraw_nothing_and_leave_all_ready",
            |test_cluster| broken_on_the_way(test_cluster).boxed_local(),
        ),
        (
            "a_pair_that_was_refused_for_its_signature_is_published_soon_after_a_start",
            |test_cluster| mended(test_cluster).boxed_local(),
        ),
    ]
}

fn wrong_signature() -> Answer {
    let message = "The request signature we calculated does not match";
    Answer::error(403, "SignatureDoesNotMatch", message)
}

async fn broken_on_the_way(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let names: Vec<String> = (0..PAIRS)
        .map(|number| format!("orders-{number}"))
        .collect();
    for (number, name) in names.iter().enumerate() {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
        let source = format!("pair-{number}");
        env.source(&source, (&id, &secret)).await?;
        let spec = json!({ "validation": { "onRejected": "Withdraw" } });
        env.resource(name, &source, spec).await?;
    }
    for (number, name) in names.iter().enumerate() {
        env.until_ready(name).await?;
        env.sts.answer(&numbered(number).0, wrong_signature());
        // A change of the region brings the next verification forward.
        let spec = json!({ "region": "eu-central-1" });
        env.change(name, spec).await?;
    }
    let mut before = Vec::new();
    for name in &names {
        let object = env.until_doubted(name, "StsRequestAltered").await?;
        assert!(message(&object, "Verified").contains("proxy"));
        before.push(env.snapshot(&format!("{name}-credentials")).await?);
    }
    // The third wrong signature comes more than a minute after the first, when a rejection would count.
    for number in 0..PAIRS {
        until_asked(&env, &numbered(number).0, 4).await?;
    }
    for (number, name) in names.iter().enumerate() {
        env.until_doubted(name, "StsRequestAltered").await?;
        let after = env.snapshot(&format!("{name}-credentials")).await?;
        assert_eq!(after, before[number]);
        for version in env.invariants.history(name).await? {
            assert_eq!(condition(&version, "Stalled"), None);
        }
    }
    for number in 0..PAIRS {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
    }
    // A recent answer is used again for this time.
    tokio::time::sleep(REJECTION_CACHED).await;
    for number in 0..PAIRS {
        env.touch(&format!("pair-{number}")).await?;
    }
    for name in &names {
        env.until_status(name, "Verified", "True", "IdentityVerified")
            .await?;
    }
    Ok(())
}

/// Waits until STS got this number of calls for a key.
async fn until_asked(env: &TestEnv, id: &str, times: usize) -> Result<()> {
    let asked = async {
        while env.sts.calls_for(id).len() < times {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(5), asked)
        .await
        .context("STS is not asked again")
}

async fn mended(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, json!({})).await?;
    env.sts.answer(SECOND.0, wrong_signature());
    env.source("pair", SECOND).await?;
    let object = env.until_stalled("orders", "SignatureMismatch").await?;
    assert_serves_last_known_good(&object);
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    env.stop_operator();
    env.accept(SECOND);
    env.start_operator().await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    Ok(())
}
