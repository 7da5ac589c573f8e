//! Calls to STS that wait for a permit longer than a reconcile waits.

use std::{ops::Range, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::{proxy::Verb, sts::Answer};
use futures::future::try_join_all;
use serde_json::json;

use crate::{
    harness::{
        steps::{TARGET, assert_holds, numbered},
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    the_run_that_comes_after_a_turn_knows_the_answer,
    a_pair_that_comes_while_another_waits_overtakes_it,
    a_resource_is_suspended_while_it_waits,
    a_resource_that_goes_while_it_waits_gets_no_target,
    an_answer_that_was_waited_for_is_not_asked_for_again,
    what_happens_during_an_outage_is_acted_upon_and_its_end_is_for_all,
    a_proxy_that_shows_its_own_page_to_all_is_an_outage_too,
    a_source_that_changes_for_ever_holds_no_proof_back,
];

/// Longer than a reconcile waits for a permit.
const PARTED: Duration = Duration::from_secs(2);

/// An environment whose operator calls STS once a second, after a burst of 2 calls.
async fn slow(test_cluster: Arc<TestCluster>) -> Result<TestEnv> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.flag("--sts-rate", "1");
    env.start_operator().await?;
    Ok(env)
}

/// Creates resources with these numbers at once, each with its own pair.
async fn create_burst(env: &TestEnv, numbers: Range<usize>) -> Result<()> {
    let create = async |number: usize| {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
        let name = format!("burst-{number}");
        env.source(&name, (&id, &secret)).await?;
        env.resource(&name, &name, json!({})).await
    };
    try_join_all(numbers.map(create)).await?;
    Ok(())
}

/// Enough resources that the last permit is granted after the test has begun, even on a busy machine.
const BURST: usize = 80;

/// `orders` waits for a permit behind the burst, and no reconcile waits with it.
async fn waiting(test_cluster: Arc<TestCluster>) -> Result<TestEnv> {
    let env = slow(test_cluster).await?;
    create_burst(&env, 0..BURST).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until("the run has begun", async || {
        Ok((reads(&env, "pair") > 0).then_some(()))
    })
    .await?;
    tokio::time::sleep(PARTED).await;
    Ok(env)
}

fn reads(env: &TestEnv, name: &str) -> usize {
    let requests = env.proxy.requests();
    let reads = requests.iter().filter(|it| {
        it.verb == Verb::Get && it.resource == "secrets" && it.name.as_deref() == Some(name)
    });
    reads.count()
}

async fn the_run_that_comes_after_a_turn_knows_the_answer(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    const COUNT: usize = 12;
    let env = slow(test_cluster).await?;
    create_burst(&env, 0..COUNT).await?;
    let mut again = 0;
    for number in 0..COUNT {
        let name = format!("burst-{number}");
        env.until_ready(&name).await?;
        let (id, _) = numbered(number);
        assert_eq!(env.key_id(&format!("{name}-credentials")).await?, id);
        assert_eq!(env.sts.calls_for(&id).len(), 1, "{name}");
        let reads = reads(&env, &name);
        assert!((1..=2).contains(&reads), "{name} was read {reads} times");
        again += reads - 1;
    }
    assert!(again > 0, "none has waited");
    Ok(())
}

async fn a_pair_that_comes_while_another_waits_overtakes_it(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = waiting(test_cluster).await?;
    env.forget(SECOND);
    env.source("pair", SECOND).await?;
    let asked = env.sts.calls_for(PAIR.0).len();
    ensure!(asked == 0, "its turn came too soon to show anything");

    let object = env.until_reconciling("orders", "Settling").await?;
    assert_holds(&object, "Verified", "Unknown", "Settling");
    assert!(env.sts.calls_for(PAIR.0).is_empty());
    assert!(!env.sts.calls_for(SECOND.0).is_empty());
    assert_eq!(env.snapshot(TARGET).await?, None);
    env.accept(SECOND);
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn a_resource_is_suspended_while_it_waits(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = waiting(test_cluster).await?;
    env.change("orders", json!({ "suspend": true })).await?;
    env.until_condition("orders", "Ready", "Unknown", "Suspended")
        .await?;
    let unasked = |number: &usize| env.sts.calls_for(&numbered(*number).0).is_empty();
    let waits = (0..BURST).any(|number| unasked(&number));
    ensure!(waits, "its turn came too soon to show anything");
    for number in 0..BURST {
        env.until_ready(&format!("burst-{number}")).await?;
    }
    assert!(env.sts.calls_for(PAIR.0).is_empty());
    assert_eq!(env.snapshot(TARGET).await?, None);
    Ok(())
}

async fn a_resource_that_goes_while_it_waits_gets_no_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = slow(test_cluster).await?;
    create_burst(&env, 0..20).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    tokio::time::sleep(PARTED).await;
    env.delete_resource("orders").await?;
    // Without the deletion, `orders` would get its permit before `burst-20`.
    create_burst(&env, 20..21).await?;
    env.until_ready("burst-20").await?;
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, None);
    Ok(())
}

/// A touch of a rejected source requires an answer from after the touch. The answer that was waited for is older than
/// the reconcile that gets it: if it were not handed over, that reconcile would call STS again.
async fn an_answer_that_was_waited_for_is_not_asked_for_again(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = slow(test_cluster).await?;
    env.forget(PAIR);
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    create_burst(&env, 0..20).await?;
    let (asked, read) = (env.sts.calls_for(PAIR.0).len(), reads(&env, "pair"));
    env.touch("pair").await?;
    env.until_observed("orders").await?;
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_eq!(reads(&env, "pair") - read, 2, "it has not waited");
    assert_eq!(env.sts.calls_for(PAIR.0).len() - asked, 1);
    Ok(())
}

/// The value of a metric without labels.
async fn metric(env: &TestEnv, name: &str) -> Result<usize> {
    let text = env.get_http("/metrics").await?;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.context("no such metric")?.parse()?)
}

async fn what_happens_during_an_outage_is_acted_upon_and_its_end_is_for_all(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let away = || Answer::error(503, "ServiceUnavailable", "away");
    outage(test_cluster, away, "StsUnavailable").await
}

async fn a_proxy_that_shows_its_own_page_to_all_is_an_outage_too(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    outage(test_cluster, || Answer::Html(403), "StsAccessDenied").await
}

/// STS answers with an error until the test ends the outage, so that nothing here depends on durations.
async fn outage(
    test_cluster: Arc<TestCluster>,
    away: impl Fn() -> Answer,
    reason: &str,
) -> Result<()> {
    const COUNT: usize = 6;
    let env = TestEnv::open(test_cluster).await?;
    create_burst(&env, 0..COUNT).await?;
    let name = |number: usize| format!("burst-{number}");
    for number in 0..COUNT {
        env.until_ready(&name(number)).await?;
    }
    for (id, _) in (0..COUNT).map(numbered) {
        env.sts.answer(&id, away());
    }
    env.sts.answer(SECOND.0, away());
    for number in 0..COUNT {
        let elsewhere = json!({ "region": "eu-central-1" });
        env.change(&name(number), elsewhere).await?;
    }
    for number in 0..COUNT {
        env.until_doubted(&name(number), reason).await?;
    }
    env.until("all wait for the first answer", async || {
        let held = metric(&env, "staticawscredentials_sts_held").await?;
        Ok((held >= COUNT).then_some(()))
    })
    .await?;

    // A restore, a suspension and a rotation before STS answers.
    env.delete_secret("burst-0-credentials").await?;
    env.until("the target is restored", async || {
        env.snapshot("burst-0-credentials").await
    })
    .await?;
    env.change("burst-1", json!({ "suspend": true })).await?;
    env.until_condition("burst-1", "Ready", "True", "Suspended")
        .await?;
    env.source("burst-2", SECOND).await?;
    env.until_observed("burst-2").await?;
    env.until_idle().await?;
    let asked = |number: usize| env.sts.calls_for(&numbered(number).0).len();
    let before = [asked(1), asked(2)];

    env.accept(SECOND);
    for (id, secret) in (0..COUNT).map(numbered) {
        env.accept((&id, &secret));
    }
    for number in [0, 3, 4, 5] {
        env.until_condition(&name(number), "Verified", "True", "IdentityVerified")
            .await?;
    }
    env.until("the other pair is published", async || {
        let published = env.key_id("burst-2-credentials").await? == SECOND.0;
        Ok(published.then_some(()))
    })
    .await?;
    env.until_idle().await?;
    assert_eq!([asked(1), asked(2)], before, "what was overtaken is asked");
    assert_eq!(metric(&env, "staticawscredentials_sts_held").await?, 0);
    assert_eq!(metric(&env, "staticawscredentials_sts_awaited").await?, 0);
    Ok(())
}

async fn a_source_that_changes_for_ever_holds_no_proof_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = slow(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_ready("orders").await?;
    create_burst(&env, 0..20).await?;
    let asked = env.sts.calls_for(PAIR.0).len();
    let churn = async {
        for number in 100.. {
            let (id, secret) = numbered(number);
            env.source("burst-19", (&id, &secret)).await?;
        }
        anyhow::Ok(())
    };
    let proof = async {
        let elsewhere = json!({ "region": "eu-central-1" });
        env.change("orders", elsewhere).await?;
        env.until("the proof is asked for", async || {
            let proven = env.sts.calls_for(PAIR.0).len() > asked;
            Ok(proven.then_some(()))
        })
        .await
    };
    tokio::select! {
        ended = churn => ended,
        proven = proof => proven,
    }
}
