//! The life of a resource, for any writer of its source and any reader of its target.

use anyhow::{Context, Result};
use kube::api::DeleteParams;
use serde_json::json;

use crate::{operator::PAIRS, test_env::TestEnv};

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
pub async fn run(
    env: &mut TestEnv,
    put: impl AsyncFn(&TestEnv, (&str, &str)) -> Result<()>,
    seen: impl AsyncFn(&TestEnv, &str, Option<&str>) -> Result<()>,
) -> Result<()> {
    let [first, second] = PAIRS;
    let seen = async |env: &TestEnv, step: usize, id: Option<&str>| {
        let step = STEPS[step];
        seen(env, step, id).await.with_context(|| step.to_owned())
    };
    env.step(STEPS[0], async |env| {
        put(env, first).await?;
        env.operator.resource("orders", json!({})).await?;
        published(env, first).await?;
        seen(env, 0, Some(first.0)).await
    })
    .await?;
    env.step(STEPS[1], async |env| {
        put(env, second).await?;
        published(env, second).await?;
        seen(env, 1, Some(second.0)).await
    })
    .await?;
    env.step(STEPS[2], async |env| {
        put(env, BAD).await?;
        let operator = &env.operator;
        operator
            .until_ready_is("orders", "SignatureMismatch")
            .await?;
        operator.until_target(TARGET, second, |_| true).await?;
        seen(env, 2, Some(second.0)).await
    })
    .await?;
    env.step(STEPS[3], async |env| {
        put(env, second).await?;
        published(env, second).await?;
        let delete = DeleteParams::default();
        env.operator.secrets.delete(TARGET, &delete).await?;
        published(env, second).await?;
        seen(env, 3, Some(second.0)).await
    })
    .await?;
    env.step(STEPS[4], async |env| {
        env.operator.delete("orders").await?;
        env.operator.until_gone(TARGET).await?;
        seen(env, 4, None).await
    })
    .await
}

async fn published(env: &TestEnv, pair: (&str, &str)) -> Result<()> {
    let operator = &env.operator;
    operator.until_target(TARGET, pair, |_| true).await?;
    operator
        .until_ready_is("orders", "Published")
        .await
        .map(drop)
}
