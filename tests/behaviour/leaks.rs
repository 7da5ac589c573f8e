//! No secret leaves the operator except in the target.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts;
use serde_json::json;

use crate::{
    actions::tests,
    scene::{ACCOUNT, PAIR, SECOND, Scene, Stage},
};

tests![
    a21_nothing_secret_is_logged_as_text,
    a21_nothing_secret_is_logged_as_json,
];

/// A pair whose secret is rejected.
const REFUSED: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2C5",
    "wSecretOfTheRefusedPair=wSecretOfTheRef3",
);

async fn a21_nothing_secret_is_logged_as_text(stage: Arc<Stage>) -> Result<()> {
    nothing_leaks(stage, "text").await
}

async fn a21_nothing_secret_is_logged_as_json(stage: Arc<Stage>) -> Result<()> {
    nothing_leaks(stage, "json").await
}

async fn nothing_leaks(stage: Arc<Stage>, format: &str) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    scene.flag("--log-format", format);
    scene.start_operator().await?;
    let echo = format!("the secret {} was refused", REFUSED.1);
    scene.sts.answer(
        REFUSED.0,
        sts::Answer::error(403, "SignatureDoesNotMatch", &echo),
    );
    scene.source("pair", PAIR).await?;
    scene
        .resource(
            "orders",
            "pair",
            json!({ "validation": { "accountId": ACCOUNT } }),
        )
        .await?;
    scene.until_agreed("orders").await?;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    scene.delete_secret("orders-credentials").await?;
    scene.until_agreed("orders").await?;
    scene.source("pair", REFUSED).await?;
    scene
        .until_status("orders", "Ready", "False", "SignatureMismatch")
        .await?;
    let malformed = format!("{}\n", PAIR.1);
    scene.source("pair", (PAIR.0, &malformed)).await?;
    scene
        .until_status("orders", "Ready", "False", "TrailingNewline")
        .await?;
    scene.source("pair", (PAIR.1, PAIR.0)).await?;
    scene
        .until_status("orders", "Ready", "False", "ValuesSwapped")
        .await?;
    scene.until_idle().await?;
    let cluster = scene.stage.cluster();
    let shown = [
        "get",
        "staticawscredentials,events.v1.events.k8s.io",
        "-n",
        &scene.namespace,
        "-o",
        "yaml",
    ];
    let shown = cluster.kubectl(&shown).await?;
    let metrics = scene.get_http("/metrics").await?;
    let log = scene.log()?;
    assert!(log.contains("starting"));
    for (id, secret) in [PAIR, SECOND, REFUSED] {
        for (what, text) in [("log", &log), ("cluster", &shown), ("metrics", &metrics)] {
            for form in forms(secret).into_iter().chain([id.to_owned()]) {
                assert!(!text.contains(&form), "{form} stands in the {what}: {text}");
            }
        }
    }
    Ok(())
}

/// A secret in every encoding in which it may leak, and its first 16 characters.
fn forms(secret: &str) -> Vec<String> {
    let part: String = secret.chars().take(16).collect();
    let whole = cluster::canary::forms(secret.as_bytes());
    whole.into_iter().chain([part]).collect()
}
