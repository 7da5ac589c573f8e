//! A published pair that AWS rejects.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::{
    proxy::{Fault, Verb},
    sts::Answer,
};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::harness::{
    steps::{REJECTION_CACHED, TARGET, assert_holds},
    test_env::{PAIR, SECOND, Test, TestCluster, TestEnv, condition, message},
};

const ELSEWHERE: &str = "eu-central-1";

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "a_published_pair_that_is_refused_counts_after_a_second_answer_and_stays",
            |test_cluster| kept(test_cluster).boxed_local(),
        ),
        (
            "a_published_pair_that_is_refused_once_stays_ready",
            |test_cluster| refused_once(test_cluster).boxed_local(),
        ),
        (
            "a_refused_pair_is_withdrawn_and_not_restored_until_aws_accepts_it",
            |test_cluster| withdrawn(test_cluster).boxed_local(),
        ),
        (
            "a_withdrawal_spares_a_secret_that_took_the_place_of_the_target",
            |test_cluster| spared(test_cluster).boxed_local(),
        ),
        (
            "a_refused_new_pair_does_not_withdraw_the_published_one",
            |test_cluster| not_withdrawn(test_cluster).boxed_local(),
        ),
        (
            "published_pairs_of_several_accounts_that_are_refused_at_once_stay_ready",
            |test_cluster| mass(test_cluster).boxed_local(),
        ),
        (
            "a_refused_pair_that_no_other_can_be_compared_with_is_not_withdrawn",
            |test_cluster| alone(test_cluster).boxed_local(),
        ),
    ]
}

/// From now on AWS does not know the pair. The change of the region causes a call to STS.
pub async fn refuse(env: &TestEnv, name: &str, pair: (&str, &str)) -> Result<()> {
    env.forget(pair);
    env.change(name, json!({ "region": ELSEWHERE })).await?;
    env.until_doubted(name, "RejectionUnconfirmed").await?;
    Ok(())
}

pub fn withdraw() -> Value {
    json!({ "validation": { "onRejected": "Withdraw" } })
}

/// `bills` publishes a pair of another account, which AWS accepts.
pub async fn beside(env: &TestEnv) -> Result<()> {
    accept_other(env);
    env.source("other-pair", SECOND).await?;
    env.resource("bills", "other-pair", withdraw()).await?;
    env.until_ready("bills").await?;
    env.until_idle().await?;
    Ok(())
}

fn accept_other(env: &TestEnv) {
    let (account, arn) = ("210987654321", "arn:aws:iam::210987654321:user/bills");
    let sts = &env.sts;
    sts.accept_pair(SECOND.0, SECOND.1, account, arn, "AIDAOTHER");
}

async fn alone(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    let before = env.snapshot(TARGET).await?;
    env.forget(PAIR);
    env.touch("pair").await?;
    env.change("orders", json!({ "region": ELSEWHERE })).await?;
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert!(message(&object, "Verified").contains("the target is kept"));
    let uid = |secret: Option<k8s_openapi::api::core::v1::Secret>| secret?.metadata.uid;
    assert_eq!(uid(env.snapshot(TARGET).await?), uid(before));
    let metrics = env.get_http("/metrics").await?;
    let none = r#"staticawscredentials_control_questions_total{result="no_pair"} 1"#;
    assert!(metrics.contains(none), "{metrics}");
    Ok(())
}

async fn kept(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, json!({})).await?;
    refuse(&env, "orders", PAIR).await?;
    let before = env.snapshot(TARGET).await?;
    env.until_idle().await?;
    let mark = env.proxy.mark();
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Verified", "False", "AccessKeyUnknown");
    assert_holds(&object, "Published", "True", "Published");
    let calls = env.sts.calls_for(PAIR.0);
    let regions: Vec<&str> = calls.iter().map(|call| call.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", ELSEWHERE, ELSEWHERE]);
    let apart = calls[2].at - calls[1].at;
    assert!(
        apart > Duration::from_secs(58),
        "two answers {apart:?} apart"
    );
    let costs = env.costs(mark).await?;
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, before);

    // An unreachable AWS does not end a rejection.
    let refused = env.invariants.history("orders").await?.len();
    for restart in [false, true] {
        tokio::time::sleep(REJECTION_CACHED).await;
        env.sts.answer(PAIR.0, Answer::Cut);
        if restart {
            env.stop_operator();
        }
        let calls = env.sts.calls().len();
        env.touch("pair").await?;
        if restart {
            env.start_operator().await?;
        }
        env.until_observed("orders").await?;
        assert!(env.sts.calls().len() > calls);
        for version in &env.invariants.history("orders").await?[refused..] {
            let ready = condition(version, "Ready").map(|(status, _)| status);
            assert_eq!(ready.as_deref(), Some("False"), "restart: {restart}");
        }
        assert_eq!(env.snapshot(TARGET).await?, before);
    }

    env.accept(PAIR);
    env.touch("pair").await?;
    let object = env.until_ready("orders").await?;
    assert_eq!(object.status.context("no status")?.settling, None);
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn refused_once(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    refuse(&env, "orders", PAIR).await?;
    let before = env.snapshot(TARGET).await?;
    env.accept(PAIR);
    let object = env
        .until_status("orders", "Verified", "True", "IdentityVerified")
        .await?;
    assert_eq!(object.status.context("no status")?.settling, None);
    assert_eq!(env.sts.calls_for(PAIR.0).len(), 3);
    assert_eq!(env.snapshot(TARGET).await?, before);
    for version in env.invariants.history("orders").await? {
        assert_eq!(condition(&version, "Stalled"), None);
    }
    Ok(())
}

async fn withdrawn(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    beside(&env).await?;
    refuse(&env, "orders", PAIR).await?;
    env.until_idle().await?;
    let mark = env.proxy.mark();
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "False", "Withdrawn");
    let status = object.status.context("no status")?;
    assert_eq!((status.published, status.binding), (None, None));
    assert_eq!(env.snapshot(TARGET).await?, None);
    let costs = env.costs(mark).await?;
    assert_eq!(costs.written(), 2, "{costs:?}");

    // The pair is still rejected, so nothing restores the target.
    env.touch("pair").await?;
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "False", "Withdrawn");
    env.change("orders", json!({ "target": { "layouts": ["Env"] } }))
        .await?;
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, None);

    env.accept_again(PAIR).await;
    env.touch("pair").await?;
    let object = env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    let status = object.status.context("no status")?;
    assert_eq!(status.binding.context("no binding")?.name, TARGET);
    Ok(())
}

async fn spared(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    beside(&env).await?;
    refuse(&env, "orders", PAIR).await?;
    let met = Arc::new(tokio::sync::Notify::new());
    let meeting = Arc::clone(&met);
    env.proxy.set_fault(Box::new(move |head| {
        if head.verb == Verb::Delete && head.resource == "secrets" {
            meeting.notify_one();
            return Fault::Delay(Duration::from_secs(5));
        }
        Fault::Pass
    }));
    tokio::time::timeout(Duration::from_secs(150), met.notified())
        .await
        .context("the target was not about to be withdrawn")?;
    env.delete_secret(TARGET).await?;
    let foreign = env.secret(TARGET, &[("of", b"somebody else")]).await?;
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, Some(foreign));
    Ok(())
}

async fn not_withdrawn(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    let before = env.snapshot(TARGET).await?;
    env.forget(SECOND);
    env.source("pair", SECOND).await?;
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "True", "ServingLastKnownGood");
    env.source("pair", (PAIR.0, SECOND.1)).await?;
    env.until_stalled("orders", "SignatureMismatch").await?;
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn mass(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    beside(&env).await?;
    refuse(&env, "orders", PAIR).await?;
    refuse(&env, "bills", SECOND).await?;
    let before = [
        env.snapshot(TARGET).await?,
        env.snapshot("bills-credentials").await?,
    ];
    for name in ["orders", "bills"] {
        env.until_doubted(name, "MassRejection").await?;
    }
    env.until_idle().await?;
    let after = [
        env.snapshot(TARGET).await?,
        env.snapshot("bills-credentials").await?,
    ];
    assert_eq!(after, before);
    let metrics = env.get_http("/metrics").await?;
    let counted = metrics.lines().any(|line| {
        !line.starts_with('#') && line.contains("mass_rejection") && !line.ends_with(" 0")
    });
    assert!(counted, "no metric says so: {metrics}");

    env.accept(PAIR);
    accept_other(&env);
    for (name, source) in [("orders", "pair"), ("bills", "other-pair")] {
        env.touch(source).await?;
        env.until_status(name, "Verified", "True", "IdentityVerified")
            .await?;
        for version in env.invariants.history(name).await? {
            assert_eq!(condition(&version, "Stalled"), None);
        }
    }
    Ok(())
}
