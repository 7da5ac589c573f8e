//! The target while the source is created, deleted, changed or invalid.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::FutureExt;
use serde_json::json;

use crate::harness::{
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
    test_env::{PAIR, SECOND, Test, TestCluster, TestEnv, condition, message},
};

const BAD: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2C5\n",
    "wSecretOfThePairWithALineBreakBehind/Id1",
);

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("a_resource_waits_for_its_source", |test_cluster| {
            awaited(test_cluster).boxed_local()
        }),
        (
            "f8_a_source_that_goes_leaves_the_target_and_its_return_asks_nobody",
            |test_cluster| gone_and_back(test_cluster).boxed_local(),
        ),
        (
            "a_source_that_lacks_a_key_leaves_the_target",
            |test_cluster| lacks_a_key(test_cluster).boxed_local(),
        ),
        (
            "a_source_that_is_touched_leaves_the_target_and_asks_nobody",
            |test_cluster| touched(test_cluster).boxed_local(),
        ),
        (
            "f11_a_bad_edit_never_reaches_the_target_and_its_repair_asks_nobody",
            |test_cluster| bad_and_back(test_cluster).boxed_local(),
        ),
        (
            "a_pair_that_aws_refuses_costs_one_question_and_one_write",
            |test_cluster| refused(test_cluster).boxed_local(),
        ),
        (
            "a_bad_source_is_looked_at_once_even_over_a_restart",
            |test_cluster| silent_over_bad(test_cluster).boxed_local(),
        ),
        (
            "a_suspended_resource_is_left_alone_and_catches_up_when_resumed",
            |test_cluster| suspended(test_cluster).boxed_local(),
        ),
        (
            "f11_a_new_pair_that_came_before_the_repair_of_a_bad_one_is_published",
            |test_cluster| forward(test_cluster).boxed_local(),
        ),
    ]
}

async fn awaited(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.resource("orders", "pair", json!({})).await?;
    let object = env.until_reconciling("orders", "SourceNotFound").await?;
    assert_holds(&object, "Ready", "False", "SourceNotFound");
    assert_holds(&object, "Verified", "Unknown", "SourceNotFound");
    assert_holds(&object, "Published", "False", "NotPublished");
    assert!(message(&object, "Ready").contains("\"pair\""));
    assert_eq!(env.snapshot(TARGET).await?, None);
    assert_eq!(env.sts.calls().len(), 0);

    env.source("pair", PAIR).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn gone_and_back(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    env.delete_secret("pair").await?;
    let object = env.until_reconciling("orders", "SourceNotFound").await?;
    assert_serves_last_known_good(&object);
    assert_eq!(object.status.context("no status")?.source, None);
    assert_eq!(env.snapshot(TARGET).await?, before);

    env.until_idle().await?;
    let mark = env.proxy.mark();
    env.source("pair", PAIR).await?;
    let object = env.until_ready("orders").await?;
    assert_holds(&object, "Published", "True", "Published");
    let costs = env.costs(mark).await?;
    assert!(costs.gets <= 2, "{costs:?}");
    assert!((1..=2).contains(&costs.written()), "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn lacks_a_key(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let halves = [
        ("AWS_ACCESS_KEY_ID", PAIR.0, "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", PAIR.1, "AWS_ACCESS_KEY_ID"),
        (
            "another-key",
            "something quite different",
            "AWS_ACCESS_KEY_ID",
        ),
    ];
    for (present, value, missing) in halves {
        env.secret("pair", &[(present, value.as_bytes())]).await?;
        let object = env.until_stalled("orders", "SourceKeyMissing").await?;
        let message = message(&object, "Ready");
        assert!(message.contains(missing), "{message}");
        assert!(!message.contains("another-key"), "{message}");
        assert_serves_last_known_good(&object);
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    // An empty source is reported in the same way, and the published pair needs no further call.
    env.secret("pair", &[]).await?;
    env.until_stalled("orders", "SourceKeyMissing").await?;
    env.source("pair", PAIR).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn touched(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let mark = env.proxy.mark();
    env.touch("pair").await?;
    env.until_ready("orders").await?;
    let costs = env.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert!(costs.written() <= 1, "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn bad_and_back(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let mark = env.proxy.mark();
    env.source("pair", BAD).await?;
    let object = env.until_stalled("orders", "TrailingNewline").await?;
    assert_serves_last_known_good(&object);
    assert_holds(&object, "Verified", "False", "TrailingNewline");
    let costs = env.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(costs.writes["staticawscredentials/status"], 1, "{costs:?}");
    assert_eq!(env.snapshot(TARGET).await?, before);

    env.source("pair", PAIR).await?;
    let object = env.until_ready("orders").await?;
    assert_holds(&object, "Verified", "True", "IdentityVerified");
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let mark = env.proxy.mark();
    env.source("pair", (SECOND.0, PAIR.1)).await?;
    let object = env.until_stalled("orders", "SignatureMismatch").await?;
    assert_serves_last_known_good(&object);
    let costs = env.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(env.sts.calls_for(SECOND.0).len(), 1);
    assert_eq!(env.snapshot(TARGET).await?, before);

    // The rejection of an ID does not count for its right secret: that is another pair.
    env.source("pair", SECOND).await?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    assert_eq!(env.sts.calls_for(SECOND.0).len(), 2);
    // A verified ID with a wrong secret inherits no verification.
    env.source("pair", (PAIR.0, SECOND.1)).await?;
    env.until_stalled("orders", "SignatureMismatch").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn silent_over_bad(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    for (pair, reason) in [
        (BAD, "TrailingNewline"),
        ((SECOND.0, PAIR.1), "SignatureMismatch"),
    ] {
        env.source("pair", pair).await?;
        env.until_stalled("orders", reason).await?;
        env.stop_operator();
        let (mark, calls) = (env.proxy.mark(), env.sts.calls().len());
        env.start_operator().await?;
        let costs = env.costs(mark).await?;
        assert_eq!((costs.gets, costs.written()), (0, 0), "{reason}: {costs:?}");
        assert_eq!(env.sts.calls().len(), calls, "{reason}");
    }
    assert_eq!(env.snapshot(TARGET).await?, before);
    env.source("pair", PAIR).await?;
    env.until_ready("orders").await?;
    Ok(())
}

async fn suspended(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let mark = env.proxy.mark();
    env.change("orders", json!({ "suspend": true })).await?;
    let object = env
        .until_status("orders", "Ready", "True", "Suspended")
        .await?;
    assert_eq!(condition(&object, "Reconciling"), None);
    env.source("pair", BAD).await?;
    env.edit(TARGET, "AWS_ACCESS_KEY_ID", "edited").await?;
    let costs = env.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 1), "{costs:?}");

    env.change("orders", json!({ "suspend": false })).await?;
    let object = env.until_stalled("orders", "TrailingNewline").await?;
    assert_holds(&object, "Published", "False", "TargetModified");
    assert_eq!(env.key_id(TARGET).await?, "edited");

    env.change("orders", json!({ "suspend": true })).await?;
    let object = env
        .until_status("orders", "Ready", "False", "Suspended")
        .await?;
    assert_holds(&object, "Stalled", "True", "TrailingNewline");
    env.source("pair", PAIR).await?;
    env.until_idle().await?;
    assert_eq!(env.key_id(TARGET).await?, "edited");
    env.change("orders", json!({ "suspend": false })).await?;
    env.until_ready("orders").await?;
    let after = env.snapshot(TARGET).await?;
    let data = |secret: Option<k8s_openapi::api::core::v1::Secret>| secret.and_then(|s| s.data);
    assert_eq!(data(after), data(before));
    Ok(())
}

async fn forward(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    env.source("pair", BAD).await?;
    env.until_stalled("orders", "TrailingNewline").await?;
    env.source("pair", SECOND).await?;
    let object = env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    let published = object.status.and_then(|status| status.published);
    let published = published.context("nothing is published")?;
    assert_eq!(
        (published.revision, published.key_id_suffix.as_str()),
        (2, "L2B4")
    );
    assert_eq!(env.sts.calls_for(SECOND.0).len(), 1);
    Ok(())
}
