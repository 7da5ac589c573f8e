//! The answers of AWS, or of a server in its place, about a pair.

mod nothings;

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::Answer;
use futures::FutureExt;
use nothings::nothings;
use serde_json::json;

use crate::{
    scene::{PAIR, SECOND, Scene, Stage, Test, message},
    steps::{TARGET, assert_holds, assert_serves_last_known_good, numbered},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "an_answer_that_says_nothing_about_a_new_pair_publishes_nothing_until_aws_answers",
            |stage| nothing_said(stage).boxed_local(),
        ),
        (
            "an_answer_that_says_nothing_about_a_published_pair_leaves_it_ready",
            |stage| doubted(stage).boxed_local(),
        ),
        (
            "a_first_pair_waits_for_aws_and_is_then_published",
            |stage| first(stage).boxed_local(),
        ),
        (
            "a_region_that_is_switched_off_is_for_a_person_to_mend",
            |stage| switched_off(stage).boxed_local(),
        ),
        (
            "a_refusal_that_time_does_not_mend_counts_at_once",
            |stage| refused(stage).boxed_local(),
        ),
        ("two_resources_with_one_pair_cost_one_question", |stage| {
            shared(stage).boxed_local()
        }),
        ("a_new_region_is_written_at_once_and_asked_once", |stage| {
            new_region(stage).boxed_local()
        }),
    ]
}

async fn nothing_said(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    let nothings = nothings();
    for number in 0..nothings.len() {
        scene.source(&format!("pair-{number}"), PAIR).await?;
        let name = format!("orders-{number}");
        scene
            .resource(&name, &format!("pair-{number}"), json!({}))
            .await?;
    }
    let mut before = Vec::new();
    for (number, (answer, _)) in nothings.iter().enumerate() {
        scene.until_ready(&format!("orders-{number}")).await?;
        before.push(
            scene
                .snapshot(&format!("orders-{number}-credentials"))
                .await?,
        );
        let (id, secret) = numbered(number);
        scene.sts.answer(&id, answer.clone());
        scene
            .source(&format!("pair-{number}"), (&id, &secret))
            .await?;
    }
    for (number, (answer, reason)) in nothings.iter().enumerate() {
        let name = format!("orders-{number}");
        let object = scene.until_awaited(&name, reason).await?;
        assert_serves_last_known_good(&object);
        assert_holds(&object, "Verified", "Unknown", reason);
        let after = scene.snapshot(&format!("{name}-credentials")).await?;
        assert_eq!(after, before[number], "{answer:?}");
    }
    for number in 0..nothings.len() {
        let (id, secret) = numbered(number);
        scene.accept((&id, &secret));
    }
    for number in 0..nothings.len() {
        let name = format!("orders-{number}");
        scene.until_ready(&name).await?;
        assert_eq!(
            scene.key_id(&format!("{name}-credentials")).await?,
            numbered(number).0
        );
    }
    Ok(())
}

async fn doubted(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    let mut nothings = nothings();
    for code in ["RegionDisabled", "OptInRequired"] {
        nothings.push((Answer::error(403, code, "not here"), code));
    }
    for number in 0..nothings.len() {
        let (id, secret) = numbered(number);
        scene.accept((&id, &secret));
        scene
            .source(&format!("pair-{number}"), (&id, &secret))
            .await?;
        let name = format!("orders-{number}");
        scene
            .resource(&name, &format!("pair-{number}"), json!({}))
            .await?;
    }
    for (number, (answer, _)) in nothings.iter().enumerate() {
        scene.until_ready(&format!("orders-{number}")).await?;
        scene.sts.answer(&numbered(number).0, answer.clone());
        // A change of the region brings the next verification forward.
        let spec = json!({ "region": "eu-central-1" });
        scene.change(&format!("orders-{number}"), spec).await?;
    }
    for (number, (_, reason)) in nothings.iter().enumerate() {
        let name = format!("orders-{number}");
        let object = scene.until_doubted(&name, reason).await?;
        assert_holds(&object, "Published", "True", "Published");
        let content = scene.content(&format!("{name}-credentials")).await?;
        assert_eq!(content["AWS_ACCESS_KEY_ID"], numbered(number).0);
        assert_eq!(content["AWS_SECRET_ACCESS_KEY"], numbered(number).1);
        assert_eq!(content["AWS_REGION"], "eu-central-1");
    }
    for number in 0..nothings.len() {
        let (id, secret) = numbered(number);
        scene.accept((&id, &secret));
        // A touch of its source sends an unverified pair to STS again.
        scene.touch(&format!("pair-{number}")).await?;
    }
    for (number, (answer, _)) in nothings.iter().enumerate() {
        let name = format!("orders-{number}");
        scene
            .until_status(&name, "Verified", "True", "IdentityVerified")
            .await?;
        for version in scene.witness.history(&name).await? {
            let stalled = crate::scene::condition(&version, "Stalled");
            assert_eq!(stalled, None, "{answer:?}");
        }
    }
    Ok(())
}

async fn first(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.sts.answer(PAIR.0, Answer::Cut);
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene.until_awaited("orders", "StsUnreachable").await?;
    assert_holds(&object, "Published", "False", "NotPublished");
    assert!(message(&object, "Ready").contains("eu-west-1"));
    assert_eq!(scene.snapshot(TARGET).await?, None);

    scene.accept(PAIR);
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, PAIR.0);
    Ok(())
}

async fn switched_off(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    for (number, code) in ["RegionDisabled", "RegionDisabledException", "OptInRequired"]
        .into_iter()
        .enumerate()
    {
        let (id, secret) = numbered(number);
        scene.sts.answer(&id, Answer::error(403, code, "not here"));
        scene.source("pair", (&id, &secret)).await?;
        let reason = code.trim_end_matches("Exception");
        let object = scene.until_stalled("orders", reason).await?;
        assert_serves_last_known_good(&object);
        assert_holds(&object, "Verified", "Unknown", reason);
        assert!(message(&object, "Ready").contains("eu-west-1"));
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }
    let (id, secret) = numbered(2);
    scene.accept((&id, &secret));
    scene.touch("pair").await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, id);
    Ok(())
}

async fn refused(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
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
    scene.witness.secret(b"wSecretOfAnEcho");
    for (number, (answer, reason)) in refusals.into_iter().enumerate() {
        let (id, secret) = numbered(number);
        scene.sts.answer(&id, answer);
        let mark = scene.proxy.mark();
        scene.source("pair", (&id, &secret)).await?;
        let object = scene.until_stalled("orders", reason).await?;
        assert_holds(&object, "Verified", "False", reason);
        assert_serves_last_known_good(&object);
        assert!(message(&object, "Ready").contains("eu-west-1"));
        let costs = scene.costs(mark).await?;
        assert_eq!(costs.written(), 1, "{reason}: {costs:?}");
        assert_eq!(scene.sts.calls_for(&id).len(), 1, "{reason}");
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }
    Ok(())
}

async fn shared(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    let pinned = json!({ "validation": { "accountId": "999999999999" } });
    scene.resource("orders", "pair", json!({})).await?;
    scene.resource("bills", "pair", json!({})).await?;
    scene.resource("strict", "pair", pinned).await?;
    scene.until_ready("orders").await?;
    scene.until_ready("bills").await?;
    scene.until_stalled("strict", "PinMismatch").await?;
    assert_eq!(scene.sts.calls().len(), 1);
    assert_eq!(scene.snapshot("strict-credentials").await?, None);

    scene.source("pair", SECOND).await?;
    scene.until_ready("orders").await?;
    scene.until_ready("bills").await?;
    scene.until_stalled("strict", "PinMismatch").await?;
    assert_eq!(scene.sts.calls().len(), 2);
    Ok(())
}

async fn new_region(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let mark = scene.proxy.mark();
    scene
        .change("orders", json!({ "region": "eu-central-1" }))
        .await?;
    scene.until_ready("orders").await?;
    let content = scene.content(TARGET).await?;
    assert_eq!(content["AWS_REGION"], "eu-central-1");
    assert_eq!(content["AWS_DEFAULT_REGION"], "eu-central-1");
    assert!(content["config"].contains("eu-central-1"));
    let costs = scene.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() <= 2, "{costs:?}");
    let calls = scene.sts.calls();
    let regions: Vec<&str> = calls.iter().map(|call| call.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", "eu-central-1"]);

    // An answer from a region of another partition than that of the ARN verifies nothing.
    let before = scene.snapshot(TARGET).await?;
    scene
        .change("orders", json!({ "region": "cn-north-1" }))
        .await?;
    scene
        .until_status("orders", "Ready", "False", "StsUnexpectedResponse")
        .await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    scene
        .change("orders", json!({ "region": "eu-central-1" }))
        .await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}
