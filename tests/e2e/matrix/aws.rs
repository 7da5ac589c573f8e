//! The answers of AWS, or of a server in its place, about a pair.

mod inconclusive_answers;

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::Answer;
use futures::FutureExt;
use inconclusive_answers::inconclusive_answers;
use serde_json::json;

use crate::harness::{
    steps::{TARGET, assert_holds, assert_serves_last_known_good, numbered},
    test_env::{PAIR, SECOND, Test, TestCluster, TestEnv, condition, message},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "an_answer_that_says_nothing_about_a_new_pair_publishes_nothing_until_aws_answers",
            |test_cluster| inconclusive(test_cluster).boxed_local(),
        ),
        (
            "an_answer_that_says_nothing_about_a_published_pair_leaves_it_ready",
            |test_cluster| doubted(test_cluster).boxed_local(),
        ),
        (
            "a_first_pair_waits_for_aws_and_is_then_published",
            |test_cluster| first(test_cluster).boxed_local(),
        ),
        (
            "a_region_that_is_switched_off_is_for_a_person_to_mend",
            |test_cluster| switched_off(test_cluster).boxed_local(),
        ),
        (
            "a_refusal_that_time_does_not_mend_counts_at_once",
            |test_cluster| refused(test_cluster).boxed_local(),
        ),
        (
            "two_resources_with_one_pair_cost_one_question",
            |test_cluster| shared(test_cluster).boxed_local(),
        ),
        (
            "a_new_region_is_written_at_once_and_asked_once",
            |test_cluster| new_region(test_cluster).boxed_local(),
        ),
    ]
}

async fn inconclusive(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let inconclusive_answers = inconclusive_answers();
    for number in 0..inconclusive_answers.len() {
        env.source(&format!("pair-{number}"), PAIR).await?;
        let name = format!("orders-{number}");
        env.resource(&name, &format!("pair-{number}"), json!({}))
            .await?;
    }
    let mut before = Vec::new();
    for (number, (answer, _)) in inconclusive_answers.iter().enumerate() {
        env.until_ready(&format!("orders-{number}")).await?;
        before.push(
            env.snapshot(&format!("orders-{number}-credentials"))
                .await?,
        );
        let (id, secret) = numbered(number);
        env.sts.answer(&id, answer.clone());
        env.source(&format!("pair-{number}"), (&id, &secret))
            .await?;
    }
    for (number, (answer, reason)) in inconclusive_answers.iter().enumerate() {
        let name = format!("orders-{number}");
        let object = env.until_reconciling(&name, reason).await?;
        assert_serves_last_known_good(&object);
        assert_holds(&object, "Verified", "Unknown", reason);
        let after = env.snapshot(&format!("{name}-credentials")).await?;
        assert_eq!(after, before[number], "{answer:?}");
    }
    for number in 0..inconclusive_answers.len() {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
    }
    for number in 0..inconclusive_answers.len() {
        let name = format!("orders-{number}");
        env.until_ready(&name).await?;
        assert_eq!(
            env.key_id(&format!("{name}-credentials")).await?,
            numbered(number).0
        );
    }
    Ok(())
}

async fn doubted(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let mut inconclusive_answers = inconclusive_answers();
    for code in ["RegionDisabled", "OptInRequired"] {
        inconclusive_answers.push((Answer::error(403, code, "not here"), code));
    }
    for number in 0..inconclusive_answers.len() {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
        env.source(&format!("pair-{number}"), (&id, &secret))
            .await?;
        let name = format!("orders-{number}");
        env.resource(&name, &format!("pair-{number}"), json!({}))
            .await?;
    }
    for (number, (answer, _)) in inconclusive_answers.iter().enumerate() {
        env.until_ready(&format!("orders-{number}")).await?;
        env.sts.answer(&numbered(number).0, answer.clone());
        // A change of the region brings the next verification forward.
        let spec = json!({ "region": "eu-central-1" });
        env.change(&format!("orders-{number}"), spec).await?;
    }
    for (number, (_, reason)) in inconclusive_answers.iter().enumerate() {
        let name = format!("orders-{number}");
        let object = env.until_doubted(&name, reason).await?;
        assert_holds(&object, "Published", "True", "Published");
        let content = env.content(&format!("{name}-credentials")).await?;
        assert_eq!(content["AWS_ACCESS_KEY_ID"], numbered(number).0);
        assert_eq!(content["AWS_SECRET_ACCESS_KEY"], numbered(number).1);
        assert_eq!(content["AWS_REGION"], "eu-central-1");
    }
    for number in 0..inconclusive_answers.len() {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
        // A touch of its source sends an unverified pair to STS again.
        env.touch(&format!("pair-{number}")).await?;
    }
    for (number, (answer, _)) in inconclusive_answers.iter().enumerate() {
        let name = format!("orders-{number}");
        env.until_status(&name, "Verified", "True", "IdentityVerified")
            .await?;
        for version in env.invariants.history(&name).await? {
            let stalled = condition(&version, "Stalled");
            assert_eq!(stalled, None, "{answer:?}");
        }
    }
    Ok(())
}

async fn first(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.sts.answer(PAIR.0, Answer::Cut);
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    let object = env.until_reconciling("orders", "StsUnreachable").await?;
    assert_holds(&object, "Published", "False", "NotPublished");
    assert!(message(&object, "Ready").contains("eu-west-1"));
    assert_eq!(env.snapshot(TARGET).await?, None);

    env.accept(PAIR);
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    Ok(())
}

async fn switched_off(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    for (number, code) in ["RegionDisabled", "RegionDisabledException", "OptInRequired"]
        .into_iter()
        .enumerate()
    {
        let (id, secret) = numbered(number);
        env.sts.answer(&id, Answer::error(403, code, "not here"));
        env.source("pair", (&id, &secret)).await?;
        let reason = code.trim_end_matches("Exception");
        let object = env.until_stalled("orders", reason).await?;
        assert_serves_last_known_good(&object);
        assert_holds(&object, "Verified", "Unknown", reason);
        assert!(message(&object, "Ready").contains("eu-west-1"));
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    let (id, secret) = numbered(2);
    env.accept((&id, &secret));
    env.touch("pair").await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, id);
    Ok(())
}

async fn refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let expired = |code| Answer::error(400, code, "wSecretOfAnEcho");
    let refusals = [
        (expired("ExpiredToken"), "CredentialsExpired"),
        (expired("ExpiredTokenException"), "CredentialsExpired"),
        (
            Answer::error(
                403,
                "SignatureDoesNotMatch",
                "The Canonical String was wSecretOfAnEcho",
            ),
            "SignatureMismatch",
        ),
    ];
    env.invariants.secret(b"wSecretOfAnEcho");
    for (number, (answer, reason)) in refusals.into_iter().enumerate() {
        let (id, secret) = numbered(number);
        env.sts.answer(&id, answer);
        let mark = env.proxy.mark();
        env.source("pair", (&id, &secret)).await?;
        let object = env.until_stalled("orders", reason).await?;
        assert_holds(&object, "Verified", "False", reason);
        assert_serves_last_known_good(&object);
        assert!(message(&object, "Ready").contains("eu-west-1"));
        let costs = env.costs(mark).await?;
        assert_eq!(costs.written(), 1, "{reason}: {costs:?}");
        assert_eq!(env.sts.calls_for(&id).len(), 1, "{reason}");
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    Ok(())
}

async fn shared(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let pinned = json!({ "validation": { "accountId": "999999999999" } });
    env.resource("orders", "pair", json!({})).await?;
    env.resource("bills", "pair", json!({})).await?;
    env.resource("strict", "pair", pinned).await?;
    env.until_ready("orders").await?;
    env.until_ready("bills").await?;
    env.until_stalled("strict", "PinMismatch").await?;
    assert_eq!(env.sts.calls().len(), 1);
    assert_eq!(env.snapshot("strict-credentials").await?, None);

    env.source("pair", SECOND).await?;
    env.until_ready("orders").await?;
    env.until_ready("bills").await?;
    env.until_stalled("strict", "PinMismatch").await?;
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

async fn new_region(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let mark = env.proxy.mark();
    env.change("orders", json!({ "region": "eu-central-1" }))
        .await?;
    env.until_ready("orders").await?;
    let content = env.content(TARGET).await?;
    assert_eq!(content["AWS_REGION"], "eu-central-1");
    assert_eq!(content["AWS_DEFAULT_REGION"], "eu-central-1");
    assert!(content["config"].contains("eu-central-1"));
    let costs = env.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() <= 2, "{costs:?}");
    let calls = env.sts.calls();
    let regions: Vec<&str> = calls.iter().map(|call| call.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", "eu-central-1"]);

    // An answer from a region of another partition than that of the ARN verifies nothing.
    let before = env.snapshot(TARGET).await?;
    env.change("orders", json!({ "region": "cn-north-1" }))
        .await?;
    env.until_status("orders", "Ready", "False", "StsUnexpectedResponse")
        .await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    env.change("orders", json!({ "region": "eu-central-1" }))
        .await?;
    env.until_ready("orders").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}
