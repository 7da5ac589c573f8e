//! A resource in each state that a reader of its status can meet, brought there by the operator.

use anyhow::{Context, Result};
use cluster::sts::Answer;
use serde_json::{Value, json};

use crate::scene::{PAIR, Scene};

/// A state and the object in it.
pub struct State {
    /// A name for it, `<health>_<what>`, as Argo CD's test data have it.
    pub name: &'static str,
    /// What kstatus computes.
    pub kstatus: &'static str,
    /// The object as the API server has it.
    pub object: Value,
}

/// IDs that STS answers in other ways.
const UNKNOWN: &str = "AKIARZPUZDIKAUAIL2B4";
const AWAY: &str = "AKIARZPUZDIKAUAIL2C5";

/// Brings resources into every state.
pub async fn all(mut scene: Scene<'_>) -> Result<Vec<State>> {
    let mut states = Vec::new();
    let mut add = |name, kstatus, object| {
        states.push(State {
            name,
            kstatus,
            object,
        });
    };
    scene.sts.answer(AWAY, Answer::Html(503));
    scene.source("orders-key-pair", PAIR).await?;
    scene.resource("orders", &json!({})).await?;
    add(
        "progressing_new",
        "InProgress",
        scene.object("orders").await?,
    );

    scene.start_operator()?;
    add(
        "healthy_published",
        "Current",
        scene.until("orders", "Ready", "Published").await?,
    );

    scene.resource("absent", &json!({})).await?;
    add(
        "progressing_sourceNotFound",
        "InProgress",
        scene.until("absent", "Ready", "SourceNotFound").await?,
    );
    scene.source("away-key-pair", (AWAY, PAIR.1)).await?;
    scene.resource("away", &json!({})).await?;
    add(
        "progressing_stsUnavailable",
        "InProgress",
        scene.until("away", "Ready", "StsUnavailable").await?,
    );
    scene.source("young-key-pair", (UNKNOWN, PAIR.1)).await?;
    scene.resource("young", &json!({})).await?;
    add(
        "progressing_settling",
        "InProgress",
        scene.until("young", "Ready", "Settling").await?,
    );
    scene
        .source("broken-key-pair", (PAIR.0, &format!("{}\n", PAIR.1)))
        .await?;
    scene.resource("broken", &json!({})).await?;
    add(
        "degraded_trailingNewline",
        "Failed",
        scene.until("broken", "Ready", "TrailingNewline").await?,
    );

    for (name, kstatus, spec, kind, reason) in [
        (
            "suspended_published",
            "Current",
            json!({ "suspend": true }),
            "Ready",
            "Suspended",
        ),
        (
            "degraded_pinMismatch",
            "Failed",
            json!({ "validation": { "accountId": "999999999999" } }),
            "Ready",
            "PinMismatch",
        ),
    ] {
        scene.resource("orders", &spec).await?;
        add(name, kstatus, scene.until("orders", kind, reason).await?);
        scene.resource("orders", &json!({})).await?;
        scene.until("orders", "Ready", "Published").await?;
    }
    scene
        .resource("broken", &json!({ "suspend": true }))
        .await?;
    add(
        "suspended_stalled",
        "Failed",
        scene.until("broken", "Ready", "Suspended").await?,
    );

    scene
        .source("orders-key-pair", (PAIR.0, &format!("\"{}\"", PAIR.1)))
        .await?;
    let serving = scene
        .until("orders", "Published", "ServingLastKnownGood")
        .await?;
    add("degraded_servingLastKnownGood", "Failed", serving);
    scene.source("orders-key-pair", PAIR).await?;
    scene.until("orders", "Ready", "Published").await?;

    // Another region brings the next proof forward, while AWS is away.
    scene.sts.answer(PAIR.0, Answer::Html(503));
    scene
        .resource("orders", &json!({ "region": "eu-central-1" }))
        .await?;
    add(
        "healthy_stsUnavailable",
        "Current",
        scene.until("orders", "Verified", "StsUnavailable").await?,
    );

    scene.stop_operator();
    scene
        .resource("orders", &json!({ "region": "eu-west-3" }))
        .await?;
    add(
        "progressing_generation",
        "InProgress",
        scene.object("orders").await?,
    );
    let finalizer = r#"{"metadata":{"finalizers":["example.com/held-by-a-test"]}}"#;
    scene
        .kubectl(&["patch", "awscreds/orders", "--type=merge", "-p", finalizer])
        .await?;
    scene
        .kubectl(&["delete", "awscreds/orders", "--wait=false"])
        .await?;
    let deleting = scene.object("orders").await?;
    let when = &deleting["metadata"]["deletionTimestamp"];
    when.as_str().context("the resource is not being deleted")?;
    add("progressing_deleting", "Terminating", deleting);
    Ok(states)
}
