//! The life of a resource, for any writer of its source and any reader of its target.

use anyhow::{Context, Result};
use kube::api::DeleteParams;
use serde_json::json;

use crate::{operator::PAIRS, scene::Scene};

/// The target.
pub const TARGET: &str = "orders-credentials";
/// The steps, as named in the table.
pub const STEPS: [&str; 5] = [
    "created",
    "rotated",
    "bad edit",
    "target deleted",
    "resource deleted",
];
/// An ID that AWS knows, with a secret of another key.
const BAD: (&str, &str) = (PAIRS[1].0, "wAnotherSecretThanThatOfThePair/wSecretNo");

/// Runs the steps. `put` writes the source `pair`; `seen` runs after each step, with the ID that is published then.
pub async fn play(
    scene: &mut Scene,
    put: impl AsyncFn(&Scene, (&str, &str)) -> Result<()>,
    seen: impl AsyncFn(&Scene, &str, Option<&str>) -> Result<()>,
) -> Result<()> {
    let [first, second] = PAIRS;
    let seen = async |scene: &Scene, step: usize, id: Option<&str>| {
        let step = STEPS[step];
        seen(scene, step, id).await.with_context(|| step.to_owned())
    };
    scene
        .step(STEPS[0], async |scene| {
            put(scene, first).await?;
            scene.operator.resource("orders", json!({})).await?;
            published(scene, first).await?;
            seen(scene, 0, Some(first.0)).await
        })
        .await?;
    scene
        .step(STEPS[1], async |scene| {
            put(scene, second).await?;
            published(scene, second).await?;
            seen(scene, 1, Some(second.0)).await
        })
        .await?;
    scene
        .step(STEPS[2], async |scene| {
            put(scene, BAD).await?;
            let operator = &scene.operator;
            operator
                .until_ready_is("orders", "SignatureMismatch")
                .await?;
            operator.until_target(TARGET, second, |_| true).await?;
            seen(scene, 2, Some(second.0)).await
        })
        .await?;
    scene
        .step(STEPS[3], async |scene| {
            put(scene, second).await?;
            published(scene, second).await?;
            let delete = DeleteParams::default();
            scene.operator.secrets.delete(TARGET, &delete).await?;
            published(scene, second).await?;
            seen(scene, 3, Some(second.0)).await
        })
        .await?;
    scene
        .step(STEPS[4], async |scene| {
            scene.operator.delete("orders").await?;
            scene.operator.until_gone(TARGET).await?;
            seen(scene, 4, None).await
        })
        .await
}

async fn published(scene: &Scene, pair: (&str, &str)) -> Result<()> {
    let operator = &scene.operator;
    operator.until_target(TARGET, pair, |_| true).await?;
    operator
        .until_ready_is("orders", "Published")
        .await
        .map(drop)
}
