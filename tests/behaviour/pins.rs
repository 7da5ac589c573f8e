//! Pins on the identity of a pair: account, user, root. They are checked with the stored answer of STS.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::sts::Answer;
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{
    scene::{ACCOUNT, ARN, PAIR, SECOND, Scene, Stage, Test, condition, message},
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
};

const ROOT: &str = "arn:aws:iam::123456789012:root";

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "s7_a_pair_of_another_account_or_user_is_not_published",
            |stage| not_published(stage).boxed_local(),
        ),
        (
            "a_pair_of_the_root_user_is_published_only_where_that_is_allowed",
            |stage| root(stage).boxed_local(),
        ),
        (
            "s7_a_new_pair_of_another_account_leaves_the_target",
            |stage| rotated_away(stage).boxed_local(),
        ),
        (
            "a_change_of_pins_is_judged_without_aws_and_while_aws_is_away",
            |stage| offline(stage).boxed_local(),
        ),
        (
            "a_restarted_operator_judges_pins_by_the_identity_in_the_status",
            |stage| restarted(stage).boxed_local(),
        ),
        (
            "a_pin_that_no_longer_holds_withdraws_the_target_where_that_is_asked_for",
            |stage| withdrawn(stage).boxed_local(),
        ),
    ]
}

fn pin(field: &str, value: &str) -> Value {
    json!({ "validation": { field: value } })
}

async fn not_published(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    let other_user = "arn:aws:iam::123456789012:user/connectors/bills";
    let other_path = "arn:aws:iam::123456789012:user/orders*";
    for (name, spec) in [
        ("account", pin("accountId", "999999999999")),
        ("user", pin("arn", other_user)),
        ("path", pin("arn", other_path)),
    ] {
        scene.resource(name, "pair", spec).await?;
        let object = scene.until_stalled(name, "PinMismatch").await?;
        assert_holds(&object, "Verified", "False", "PinMismatch");
        assert_holds(&object, "Published", "False", "NotPublished");
        assert!(message(&object, "Ready").contains("spec.validation."));
        assert_eq!(scene.snapshot(&format!("{name}-credentials")).await?, None);
    }
    assert_eq!(scene.sts.calls().len(), 1);

    scene.change("account", pin("accountId", ACCOUNT)).await?;
    scene.change("user", pin("arn", ARN)).await?;
    let wild = "arn:aws:iam::*:user/connectors/*";
    scene.change("path", pin("arn", wild)).await?;
    for name in ["account", "user", "path"] {
        scene.until_ready(name).await?;
        assert_eq!(scene.key_id(&format!("{name}-credentials")).await?, PAIR.0);
    }
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn root(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene
        .sts
        .accept_pair(PAIR.0, PAIR.1, ACCOUNT, ROOT, ACCOUNT);
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene.until_stalled("orders", "RootUserDenied").await?;
    assert!(message(&object, "Ready").contains("spec.validation.rootUser"));
    assert_eq!(scene.snapshot(TARGET).await?, None);

    scene.change("orders", pin("rootUser", "Allow")).await?;
    let object = scene.until_ready("orders").await?;
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.arn, ROOT);

    let before = scene.snapshot(TARGET).await?;
    scene.change("orders", pin("rootUser", "Deny")).await?;
    scene.until_stalled("orders", "RootUserDenied").await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn rotated_away(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, pin("accountId", ACCOUNT)).await?;
    let before = scene.snapshot(TARGET).await?;
    let (account, arn) = ("210987654321", "arn:aws:iam::210987654321:user/orders");
    scene
        .sts
        .accept_pair(SECOND.0, SECOND.1, account, arn, "AIDAOTHER");
    let mark = scene.proxy.mark();
    scene.source("pair", SECOND).await?;
    let object = scene.until_stalled("orders", "PinMismatch").await?;
    assert_serves_last_known_good(&object);
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.account_id, ACCOUNT);
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(scene.sts.calls_for(SECOND.0).len(), 1);
    assert_eq!(scene.snapshot(TARGET).await?, before);

    scene.change("orders", pin("accountId", account)).await?;
    let object = scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.account_id, account);
    assert_eq!(scene.sts.calls_for(SECOND.0).len(), 1);
    Ok(())
}

async fn offline(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    for away in [false, true] {
        if away {
            scene.sts.answer(PAIR.0, Answer::Cut);
        }
        let mark = scene.proxy.mark();
        scene
            .change("orders", pin("accountId", "999999999999"))
            .await?;
        let object = scene.until_stalled("orders", "PinMismatch").await?;
        assert_holds(&object, "Published", "True", "Published");
        let costs = scene.costs(mark).await?;
        assert!(costs.gets <= 2 && costs.written() == 1, "{costs:?}");

        scene.change("orders", pin("accountId", ACCOUNT)).await?;
        let object = scene.until_ready("orders").await?;
        assert_holds(&object, "Verified", "True", "IdentityVerified");
        scene.until_idle().await?;
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn restarted(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.stop_operator();
    scene.sts.answer(PAIR.0, Answer::Cut);
    scene
        .change("orders", pin("accountId", "999999999999"))
        .await?;
    scene.start_operator().await?;
    let object = scene.until_stalled("orders", "PinMismatch").await?;
    assert_holds(&object, "Published", "True", "Published");
    scene.until_idle().await?;
    assert!(scene.sts.calls().len() <= 2);

    // An unreachable AWS does not end a rejection by the pins.
    let refused = scene.witness.history("orders").await?.len();
    scene.stop_operator();
    scene.touch("pair").await?;
    scene.start_operator().await?;
    scene.until_spoken_of("orders").await?;
    for version in &scene.witness.history("orders").await?[refused..] {
        let ready = condition(version, "Ready").map(|(status, _)| status);
        assert_eq!(ready.as_deref(), Some("False"));
    }
    assert_eq!(scene.snapshot(TARGET).await?, before);

    scene.change("orders", pin("accountId", ACCOUNT)).await?;
    scene.accept(PAIR);
    scene.until_ready("orders").await?;
    scene.until_idle().await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}

async fn withdrawn(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, pin("onRejected", "Withdraw")).await?;
    scene.sts.answer(PAIR.0, Answer::Cut);
    let mark = scene.proxy.mark();
    scene
        .change("orders", pin("accountId", "999999999999"))
        .await?;
    let object = scene.until_stalled("orders", "PinMismatch").await?;
    assert_holds(&object, "Published", "False", "Withdrawn");
    let status = object.status.context("no status")?;
    assert_eq!((status.published, status.binding), (None, None));
    assert_eq!(scene.snapshot(TARGET).await?, None);
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.written(), 2, "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, None);

    scene.change("orders", pin("accountId", ACCOUNT)).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, PAIR.0);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}
