//! Pairs that are rejected without a call to STS, and the level Format, which never calls STS.

#[path = "../../support/malformed.rs"]
mod malformed;

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::FutureExt;
use serde_json::json;

use malformed::{GOOD_ID, GOOD_SECRET, ID, MALFORMED, SECRET};

use crate::harness::{
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
    test_env::{ACCOUNT, PAIR, SECOND, Test, TestCluster, TestEnv, message},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "no_malformed_pair_reaches_the_target_or_aws_and_the_message_names_its_key",
            |test_cluster| refused(test_cluster).boxed_local(),
        ),
        ("a_source_of_any_size_gets_a_verdict", |test_cluster| {
            huge(test_cluster).boxed_local()
        }),
        ("an_unusual_pair_is_published_with_a_note", |test_cluster| {
            unusual(test_cluster).boxed_local()
        }),
        ("at_level_format_nobody_is_asked", |test_cluster| {
            format_level(test_cluster).boxed_local()
        }),
        (
            "at_level_format_the_account_pin_reads_the_key_id_and_fails_closed",
            |test_cluster| format_pin(test_cluster).boxed_local(),
        ),
        (
            "from_format_to_identity_the_target_is_proven_as_it_is",
            |test_cluster| to_identity(test_cluster).boxed_local(),
        ),
        (
            "from_identity_to_format_the_identity_goes_and_the_target_stays",
            |test_cluster| to_format(test_cluster).boxed_local(),
        ),
    ]
}

async fn refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    for &(id, secret, reason, named) in MALFORMED {
        env.secret("pair", &[(ID, id), (SECRET, secret)]).await?;
        let object = env.until_stalled("orders", reason).await?;
        assert_holds(&object, "Verified", "False", reason);
        assert_serves_last_known_good(&object);
        let message = message(&object, "Ready");
        assert!(message.contains(named), "{reason}: {message}");
        for value in [id, secret] {
            let text = String::from_utf8_lossy(value);
            let text = text.trim();
            assert!(text.is_empty() || !message.contains(text), "{message}");
        }
        assert_eq!(env.snapshot(TARGET).await?, before, "{reason}");
    }
    assert_eq!(env.sts.calls().len(), 1);
    env.source("pair", PAIR).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn huge(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let long = vec![b'A'; 1_000_000];
    for (id, secret, named) in [(&long[..], GOOD_SECRET, ID), (GOOD_ID, &long[..], SECRET)] {
        env.secret("pair", &[(ID, id), (SECRET, secret)]).await?;
        let object = env.until_stalled("orders", "ValueTooLong").await?;
        assert!(message(&object, "Ready").contains(named));
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    assert_eq!(env.sts.calls().len(), 1);

    let names: Vec<String> = (0..10_000).map(|number| format!("key-{number}")).collect();
    let mut data: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    data.extend([(ID, SECOND.0.as_bytes()), (SECRET, SECOND.1.as_bytes())]);
    env.secret("pair", &data).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn unusual(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let pair = (
        "STOREOFOURS000000001",
        "a secret of another length than AWS gives out",
    );
    env.source("pair", pair).await?;
    let spec = json!({ "region": null, "validation": { "level": "Format" } });
    env.resource("orders", "pair", spec).await?;
    let object = env.until_ready("orders").await?;
    let message = message(&object, "Verified");
    assert!(
        message.contains(ID) && message.contains(SECRET),
        "{message}"
    );
    let content = env.content(TARGET).await?;
    assert_eq!((content[ID].as_str(), content[SECRET].as_str()), pair);
    assert!(!content.contains_key("AWS_REGION"));
    Ok(())
}

async fn format_level(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({ "validation": { "level": "Format" } }))
        .await?;
    let object = env.resources.get("orders").await?;
    assert_holds(&object, "Verified", "True", "FormatOnly");
    let status = object.status.context("no status")?;
    assert_eq!((status.identity, status.last_verified_time), (None, None));
    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    env.until_ready("orders").await?;
    let costs = env.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() == 2, "{costs:?}");
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    env.source("pair", ("ASIARZPUZDIKQUAIL2D6", PAIR.1)).await?;
    env.until_stalled("orders", "TemporaryCredentials").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    assert_eq!(env.sts.calls().len(), 0);
    Ok(())
}

async fn format_pin(test_cluster: Arc<TestCluster>) -> Result<()> {
    let of = |account: &str| json!({ "validation": { "level": "Format", "accountId": account } });
    let encoded = static_aws_credentials::domain::account::account_id_from_key_id(PAIR.0)
        .context("no account")?;
    let env = TestEnv::open_published(test_cluster, of(&encoded)).await?;
    let before = env.snapshot(TARGET).await?;

    env.change("orders", of("999999999999")).await?;
    let object = env.until_stalled("orders", "AccountMismatch").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert!(message(&object, "Ready").contains("spec.validation.accountId"));
    assert_eq!(env.snapshot(TARGET).await?, before);
    env.change("orders", of(&encoded)).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);

    // IDs of the older generation do not contain their account.
    env.source("pair", ("AKIAIZPUZDIKQUAIL2D6", SECOND.1))
        .await?;
    let object = env.until_stalled("orders", "AccountUnknown").await?;
    assert_serves_last_known_good(&object);
    env.source("pair", ("AKIAQZPUZDIKQUAIL2D6", SECOND.1))
        .await?;
    let object = env.until_stalled("orders", "AccountMismatch").await?;
    assert_serves_last_known_good(&object);
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 0);
    Ok(())
}

async fn to_identity(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({ "validation": { "level": "Format" } }))
        .await?;
    let before = env.snapshot(TARGET).await?;
    env.sts.answer(PAIR.0, cluster::sts::Answer::Throttle);
    env.change("orders", json!({ "validation": { "level": "Identity" } }))
        .await?;
    let object = env.until_reconciling("orders", "StsThrottled").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert_eq!(env.snapshot(TARGET).await?, before);

    env.accept(PAIR);
    let object = env.until_ready("orders").await?;
    assert_holds(&object, "Verified", "True", "IdentityVerified");
    let identity = object.status.and_then(|status| status.identity);
    assert_eq!(identity.context("no identity")?.account_id, ACCOUNT);
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn to_format(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let mark = env.proxy.mark();
    env.change("orders", json!({ "validation": { "level": "Format" } }))
        .await?;
    let object = env
        .until_status("orders", "Verified", "True", "FormatOnly")
        .await?;
    assert_holds(&object, "Ready", "True", "Published");
    let status = object.status.context("no status")?;
    assert_eq!((status.identity, status.last_verified_time), (None, None));
    let costs = env.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() == 1, "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}
