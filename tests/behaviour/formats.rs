//! Pairs that are rejected without a call to STS, and the level Format, which never calls STS.

mod bad;

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::FutureExt;
use serde_json::json;

use bad::{BAD, GOOD_ID, GOOD_SECRET, ID, SECRET};

use crate::{
    scene::{ACCOUNT, PAIR, SECOND, Scene, Stage, Test, message},
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "no_malformed_pair_reaches_the_target_or_aws_and_the_message_names_its_key",
            |stage| malformed(stage).boxed_local(),
        ),
        ("a_source_of_any_size_gets_a_verdict", |stage| {
            huge(stage).boxed_local()
        }),
        ("an_unusual_pair_is_published_with_a_note", |stage| {
            unusual(stage).boxed_local()
        }),
        ("at_level_format_nobody_is_asked", |stage| {
            format_level(stage).boxed_local()
        }),
        (
            "at_level_format_the_account_pin_reads_the_key_id_and_fails_closed",
            |stage| format_pin(stage).boxed_local(),
        ),
        (
            "from_format_to_identity_the_target_is_proven_as_it_is",
            |stage| to_identity(stage).boxed_local(),
        ),
        (
            "from_identity_to_format_the_identity_goes_and_the_target_stays",
            |stage| to_format(stage).boxed_local(),
        ),
    ]
}

async fn malformed(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    for (id, secret, reason, named) in BAD {
        scene.secret("pair", &[(ID, id), (SECRET, secret)]).await?;
        let object = scene.until_stalled("orders", reason).await?;
        assert_holds(&object, "Verified", "False", reason);
        assert_serves_last_known_good(&object);
        let message = message(&object, "Ready");
        assert!(message.contains(named), "{reason}: {message}");
        for value in [id, secret] {
            let text = String::from_utf8_lossy(value);
            let text = text.trim();
            assert!(text.is_empty() || !message.contains(text), "{message}");
        }
        assert_eq!(scene.snapshot(TARGET).await?, before, "{reason}");
    }
    assert_eq!(scene.sts.calls().len(), 1);
    scene.source("pair", PAIR).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn huge(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let long = vec![b'A'; 1_000_000];
    for (id, secret, named) in [(&long[..], GOOD_SECRET, ID), (GOOD_ID, &long[..], SECRET)] {
        scene.secret("pair", &[(ID, id), (SECRET, secret)]).await?;
        let object = scene.until_stalled("orders", "ValueTooLong").await?;
        assert!(message(&object, "Ready").contains(named));
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }
    assert_eq!(scene.sts.calls().len(), 1);

    let names: Vec<String> = (0..10_000).map(|number| format!("key-{number}")).collect();
    let mut data: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    data.extend([(ID, SECOND.0.as_bytes()), (SECRET, SECOND.1.as_bytes())]);
    scene.secret("pair", &data).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn unusual(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    let pair = (
        "STOREOFOURS000000001",
        "a secret of another length than AWS gives out",
    );
    scene.source("pair", pair).await?;
    let spec = json!({ "region": null, "validation": { "level": "Format" } });
    scene.resource("orders", "pair", spec).await?;
    let object = scene.until_ready("orders").await?;
    let message = message(&object, "Verified");
    assert!(
        message.contains(ID) && message.contains(SECRET),
        "{message}"
    );
    let content = scene.content(TARGET).await?;
    assert_eq!((content[ID].as_str(), content[SECRET].as_str()), pair);
    assert!(!content.contains_key("AWS_REGION"));
    Ok(())
}

async fn format_level(stage: Arc<Stage>) -> Result<()> {
    let scene =
        Scene::open_published(stage, json!({ "validation": { "level": "Format" } })).await?;
    let object = scene.resources.get("orders").await?;
    assert_holds(&object, "Verified", "True", "FormatOnly");
    let status = object.status.context("no status")?;
    assert_eq!((status.identity, status.last_verified_time), (None, None));
    let mark = scene.proxy.mark();
    scene.source("pair", SECOND).await?;
    scene.until_ready("orders").await?;
    let costs = scene.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() == 2, "{costs:?}");
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    scene
        .source("pair", ("ASIARZPUZDIKQUAIL2D6", PAIR.1))
        .await?;
    scene
        .until_stalled("orders", "TemporaryCredentials")
        .await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    assert_eq!(scene.sts.calls().len(), 0);
    Ok(())
}

async fn format_pin(stage: Arc<Stage>) -> Result<()> {
    let of = |account: &str| json!({ "validation": { "level": "Format", "accountId": account } });
    let encoded = static_aws_credentials::domain::account::account_id_from_key_id(PAIR.0)
        .context("no account")?;
    let scene = Scene::open_published(stage, of(&encoded)).await?;
    let before = scene.snapshot(TARGET).await?;

    scene.change("orders", of("999999999999")).await?;
    let object = scene.until_stalled("orders", "AccountMismatch").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert!(message(&object, "Ready").contains("spec.validation.accountId"));
    assert_eq!(scene.snapshot(TARGET).await?, before);
    scene.change("orders", of(&encoded)).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);

    // IDs of the older generation do not contain their account.
    scene
        .source("pair", ("AKIAIZPUZDIKQUAIL2D6", SECOND.1))
        .await?;
    let object = scene.until_stalled("orders", "AccountUnknown").await?;
    assert_serves_last_known_good(&object);
    scene
        .source("pair", ("AKIAQZPUZDIKQUAIL2D6", SECOND.1))
        .await?;
    let object = scene.until_stalled("orders", "AccountMismatch").await?;
    assert_serves_last_known_good(&object);
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 0);
    Ok(())
}

async fn to_identity(stage: Arc<Stage>) -> Result<()> {
    let scene =
        Scene::open_published(stage, json!({ "validation": { "level": "Format" } })).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.sts.answer(PAIR.0, cluster::sts::Answer::Throttle);
    scene
        .change("orders", json!({ "validation": { "level": "Identity" } }))
        .await?;
    let object = scene.until_awaited("orders", "StsThrottled").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert_eq!(scene.snapshot(TARGET).await?, before);

    scene.accept(PAIR);
    let object = scene.until_ready("orders").await?;
    assert_holds(&object, "Verified", "True", "IdentityVerified");
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.account_id, ACCOUNT);
    scene.until_idle().await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}

async fn to_format(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let mark = scene.proxy.mark();
    scene
        .change("orders", json!({ "validation": { "level": "Format" } }))
        .await?;
    let object = scene
        .until_status("orders", "Verified", "True", "FormatOnly")
        .await?;
    assert_holds(&object, "Ready", "True", "Published");
    let status = object.status.context("no status")?;
    assert_eq!((status.identity, status.last_verified_time), (None, None));
    let costs = scene.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() == 1, "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}
