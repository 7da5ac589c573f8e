//! The target while the source is created, deleted, changed or invalid.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::FutureExt;
use serde_json::json;

use crate::{
    scene::{PAIR, SECOND, Scene, Stage, Test, condition, message},
    steps::{TARGET, assert_holds, assert_serves_last_known_good},
};

const BAD: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2C5\n",
    "wSecretOfThePairWithALineBreakBehind/Id1",
);

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("a_resource_waits_for_its_source", |stage| {
            awaited(stage).boxed_local()
        }),
        (
            "f8_a_source_that_goes_leaves_the_target_and_its_return_asks_nobody",
            |stage| gone_and_back(stage).boxed_local(),
        ),
        ("a_source_that_lacks_a_key_leaves_the_target", |stage| {
            lacks_a_key(stage).boxed_local()
        }),
        (
            "a_source_that_is_touched_leaves_the_target_and_asks_nobody",
            |stage| touched(stage).boxed_local(),
        ),
        (
            "f11_a_bad_edit_never_reaches_the_target_and_its_repair_asks_nobody",
            |stage| bad_and_back(stage).boxed_local(),
        ),
        (
            "a_pair_that_aws_refuses_costs_one_question_and_one_write",
            |stage| refused(stage).boxed_local(),
        ),
        (
            "a_bad_source_is_looked_at_once_even_over_a_restart",
            |stage| silent_over_bad(stage).boxed_local(),
        ),
        (
            "a_suspended_resource_is_left_alone_and_catches_up_when_resumed",
            |stage| suspended(stage).boxed_local(),
        ),
        (
            "f11_a_new_pair_that_came_before_the_repair_of_a_bad_one_is_published",
            |stage| forward(stage).boxed_local(),
        ),
    ]
}

async fn awaited(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene.until_awaited("orders", "SourceNotFound").await?;
    assert_holds(&object, "Ready", "False", "SourceNotFound");
    assert_holds(&object, "Verified", "Unknown", "SourceNotFound");
    assert_holds(&object, "Published", "False", "NotPublished");
    assert!(message(&object, "Ready").contains("\"pair\""));
    assert_eq!(scene.snapshot(TARGET).await?, None);
    assert_eq!(scene.sts.calls().len(), 0);

    scene.source("pair", PAIR).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, PAIR.0);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn gone_and_back(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.delete_secret("pair").await?;
    let object = scene.until_awaited("orders", "SourceNotFound").await?;
    assert_serves_last_known_good(&object);
    assert_eq!(object.status.context("no status")?.source, None);
    assert_eq!(scene.snapshot(TARGET).await?, before);

    scene.until_idle().await?;
    let mark = scene.proxy.mark();
    scene.source("pair", PAIR).await?;
    let object = scene.until_ready("orders").await?;
    assert_holds(&object, "Published", "True", "Published");
    let costs = scene.costs(mark).await?;
    assert!(costs.gets <= 2, "{costs:?}");
    assert!((1..=2).contains(&costs.written()), "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn lacks_a_key(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
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
        scene.secret("pair", &[(present, value.as_bytes())]).await?;
        let object = scene.until_stalled("orders", "SourceKeyMissing").await?;
        let message = message(&object, "Ready");
        assert!(message.contains(missing), "{message}");
        assert!(!message.contains("another-key"), "{message}");
        assert_serves_last_known_good(&object);
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }
    // An empty source is reported in the same way, and the published pair needs no further call.
    scene.secret("pair", &[]).await?;
    scene.until_stalled("orders", "SourceKeyMissing").await?;
    scene.source("pair", PAIR).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn touched(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.touch("pair").await?;
    scene.until_ready("orders").await?;
    let costs = scene.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert!(costs.written() <= 1, "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn bad_and_back(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.source("pair", BAD).await?;
    let object = scene.until_stalled("orders", "TrailingNewline").await?;
    assert_serves_last_known_good(&object);
    assert_holds(&object, "Verified", "False", "TrailingNewline");
    let costs = scene.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(costs.writes["staticawscredentials/status"], 1, "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, before);

    scene.source("pair", PAIR).await?;
    let object = scene.until_ready("orders").await?;
    assert_holds(&object, "Verified", "True", "IdentityVerified");
    scene.until_idle().await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn refused(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.source("pair", (SECOND.0, PAIR.1)).await?;
    let object = scene.until_stalled("orders", "SignatureMismatch").await?;
    assert_serves_last_known_good(&object);
    let costs = scene.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(scene.sts.calls_for(SECOND.0).len(), 1);
    assert_eq!(scene.snapshot(TARGET).await?, before);

    // The rejection of an ID does not count for its right secret: that is another pair.
    scene.source("pair", SECOND).await?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    assert_eq!(scene.sts.calls_for(SECOND.0).len(), 2);
    // A verified ID with a wrong secret inherits no verification.
    scene.source("pair", (PAIR.0, SECOND.1)).await?;
    scene.until_stalled("orders", "SignatureMismatch").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    Ok(())
}

async fn silent_over_bad(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    for (pair, reason) in [
        (BAD, "TrailingNewline"),
        ((SECOND.0, PAIR.1), "SignatureMismatch"),
    ] {
        scene.source("pair", pair).await?;
        scene.until_stalled("orders", reason).await?;
        scene.stop_operator();
        let (mark, calls) = (scene.proxy.mark(), scene.sts.calls().len());
        scene.start_operator().await?;
        let costs = scene.costs(mark).await?;
        assert_eq!((costs.gets, costs.written()), (0, 0), "{reason}: {costs:?}");
        assert_eq!(scene.sts.calls().len(), calls, "{reason}");
    }
    assert_eq!(scene.snapshot(TARGET).await?, before);
    scene.source("pair", PAIR).await?;
    scene.until_ready("orders").await?;
    Ok(())
}

async fn suspended(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.change("orders", json!({ "suspend": true })).await?;
    let object = scene
        .until_status("orders", "Ready", "True", "Suspended")
        .await?;
    assert_eq!(condition(&object, "Reconciling"), None);
    scene.source("pair", BAD).await?;
    scene.edit(TARGET, "AWS_ACCESS_KEY_ID", "edited").await?;
    let costs = scene.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 1), "{costs:?}");

    scene.change("orders", json!({ "suspend": false })).await?;
    let object = scene.until_stalled("orders", "TrailingNewline").await?;
    assert_holds(&object, "Published", "False", "TargetModified");
    assert_eq!(scene.key_id(TARGET).await?, "edited");

    scene.change("orders", json!({ "suspend": true })).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "Suspended")
        .await?;
    assert_holds(&object, "Stalled", "True", "TrailingNewline");
    scene.source("pair", PAIR).await?;
    scene.until_idle().await?;
    assert_eq!(scene.key_id(TARGET).await?, "edited");
    scene.change("orders", json!({ "suspend": false })).await?;
    scene.until_ready("orders").await?;
    let after = scene.snapshot(TARGET).await?;
    let data = |secret: Option<k8s_openapi::api::core::v1::Secret>| secret.and_then(|s| s.data);
    assert_eq!(data(after), data(before));
    Ok(())
}

async fn forward(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, json!({})).await?;
    scene.source("pair", BAD).await?;
    scene.until_stalled("orders", "TrailingNewline").await?;
    scene.source("pair", SECOND).await?;
    let object = scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    let published = object.status.and_then(|status| status.published);
    let published = published.context("nothing is published")?;
    assert_eq!(
        (published.revision, published.key_id_suffix.as_str()),
        (2, "L2B4")
    );
    assert_eq!(scene.sts.calls_for(SECOND.0).len(), 1);
    Ok(())
}
