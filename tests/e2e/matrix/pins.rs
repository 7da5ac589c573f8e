//! Pins on the identity of a pair: account, user, root. They are checked with the stored answer of STS.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::sts::Answer;
use futures::FutureExt;
use serde_json::{Value, json};

use crate::harness::{
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
    test_env::{ACCOUNT, ARN, PAIR, SECOND, Test, TestCluster, TestEnv, condition, message},
};

const ROOT: &str = "arn:aws:iam::123456789012:root";

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "s7_a_pair_of_another_account_or_user_is_not_published",
            |test_cluster| not_published(test_cluster).boxed_local(),
        ),
        (
            "a_pair_of_the_root_user_is_published_only_where_that_is_allowed",
            |test_cluster| root(test_cluster).boxed_local(),
        ),
        (
            "s7_a_new_pair_of_another_account_leaves_the_target",
            |test_cluster| rotated_away(test_cluster).boxed_local(),
        ),
        (
            "a_change_of_pins_is_judged_without_aws_and_while_aws_is_away",
            |test_cluster| offline(test_cluster).boxed_local(),
        ),
        (
            "a_restarted_operator_judges_pins_by_the_identity_in_the_status",
            |test_cluster| restarted(test_cluster).boxed_local(),
        ),
        (
            "a_pin_that_no_longer_holds_withdraws_the_target_where_that_is_asked_for",
            |test_cluster| withdrawn(test_cluster).boxed_local(),
        ),
    ]
}

fn pin(field: &str, value: &str) -> Value {
    json!({ "validation": { field: value } })
}

async fn not_published(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let other_user = "arn:aws:iam::123456789012:user/connectors/bills";
    let other_path = "arn:aws:iam::123456789012:user/orders*";
    for (name, spec) in [
        ("account", pin("accountId", "999999999999")),
        ("user", pin("arn", other_user)),
        ("path", pin("arn", other_path)),
    ] {
        env.resource(name, "pair", spec).await?;
        let object = env.until_stalled(name, "PinMismatch").await?;
        assert_holds(&object, "Verified", "False", "PinMismatch");
        assert_holds(&object, "Published", "False", "NotPublished");
        assert!(message(&object, "Ready").contains("spec.validation."));
        assert_eq!(env.snapshot(&format!("{name}-credentials")).await?, None);
    }
    assert_eq!(env.sts.calls().len(), 1);

    env.change("account", pin("accountId", ACCOUNT)).await?;
    env.change("user", pin("arn", ARN)).await?;
    let wild = "arn:aws:iam::*:user/connectors/*";
    env.change("path", pin("arn", wild)).await?;
    for name in ["account", "user", "path"] {
        env.until_ready(name).await?;
        assert_eq!(env.key_id(&format!("{name}-credentials")).await?, PAIR.0);
    }
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn root(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ROOT, ACCOUNT);
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    let object = env.until_stalled("orders", "RootUserDenied").await?;
    assert!(message(&object, "Ready").contains("spec.validation.rootUser"));
    assert_eq!(env.snapshot(TARGET).await?, None);

    env.change("orders", pin("rootUser", "Allow")).await?;
    let object = env.until_ready("orders").await?;
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.arn, ROOT);

    let before = env.snapshot(TARGET).await?;
    env.change("orders", pin("rootUser", "Deny")).await?;
    env.until_stalled("orders", "RootUserDenied").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn rotated_away(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, pin("accountId", ACCOUNT)).await?;
    let before = env.snapshot(TARGET).await?;
    let (account, arn) = ("210987654321", "arn:aws:iam::210987654321:user/orders");
    env.sts
        .accept_pair(SECOND.0, SECOND.1, account, arn, "AIDAOTHER");
    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    let object = env.until_stalled("orders", "PinMismatch").await?;
    assert_serves_last_known_good(&object);
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.account_id, ACCOUNT);
    let costs = env.costs(mark).await?;
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(env.sts.calls_for(SECOND.0).len(), 1);
    assert_eq!(env.snapshot(TARGET).await?, before);

    env.change("orders", pin("accountId", account)).await?;
    let object = env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.account_id, account);
    assert_eq!(env.sts.calls_for(SECOND.0).len(), 1);
    Ok(())
}

async fn offline(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    for away in [false, true] {
        if away {
            env.sts.answer(PAIR.0, Answer::Cut);
        }
        let mark = env.proxy.mark();
        env.change("orders", pin("accountId", "999999999999"))
            .await?;
        let object = env.until_stalled("orders", "PinMismatch").await?;
        assert_holds(&object, "Published", "True", "Published");
        let costs = env.costs(mark).await?;
        assert!(costs.gets <= 2 && costs.written() == 1, "{costs:?}");

        env.change("orders", pin("accountId", ACCOUNT)).await?;
        let object = env.until_ready("orders").await?;
        assert_holds(&object, "Verified", "True", "IdentityVerified");
        env.until_idle().await?;
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn restarted(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    env.stop_operator();
    env.sts.answer(PAIR.0, Answer::Cut);
    env.change("orders", pin("accountId", "999999999999"))
        .await?;
    env.start_operator().await?;
    let object = env.until_stalled("orders", "PinMismatch").await?;
    assert_holds(&object, "Published", "True", "Published");
    env.until_idle().await?;
    assert!(env.sts.calls().len() <= 2);

    // An unreachable AWS does not end a rejection by the pins.
    let refused = env.invariants.history("orders").await?.len();
    env.stop_operator();
    env.touch("pair").await?;
    env.start_operator().await?;
    env.until_observed("orders").await?;
    for version in &env.invariants.history("orders").await?[refused..] {
        let ready = condition(version, "Ready").map(|(status, _)| status);
        assert_eq!(ready.as_deref(), Some("False"));
    }
    assert_eq!(env.snapshot(TARGET).await?, before);

    env.change("orders", pin("accountId", ACCOUNT)).await?;
    env.accept(PAIR);
    env.until_ready("orders").await?;
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn withdrawn(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, pin("onRejected", "Withdraw")).await?;
    env.sts.answer(PAIR.0, Answer::Cut);
    let mark = env.proxy.mark();
    env.change("orders", pin("accountId", "999999999999"))
        .await?;
    let object = env.until_stalled("orders", "PinMismatch").await?;
    assert_holds(&object, "Published", "False", "Withdrawn");
    let status = object.status.context("no status")?;
    assert_eq!((status.published, status.binding), (None, None));
    assert_eq!(env.snapshot(TARGET).await?, None);
    let costs = env.costs(mark).await?;
    assert_eq!(costs.written(), 2, "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, None);

    env.change("orders", pin("accountId", ACCOUNT)).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}
