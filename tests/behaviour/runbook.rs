//! The commands of docs/operations.md, run as they stand there.

use std::{process::Command, sync::Arc};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![the_runbook_of_a_rotation_runs_as_it_stands];

const RUNBOOK: &str = include_str!("../../docs/operations.md");

/// The commands under a mark in docs/operations.md.
fn documented(mark: &str) -> Result<&'static str> {
    let (_, rest) = RUNBOOK
        .split_once(&format!("<!-- tried: {mark} -->"))
        .with_context(|| format!("docs/operations.md has no {mark}"))?;
    let block = rest.split("```").nth(1);
    let block = block.and_then(|block| block.strip_prefix("sh\n"));
    block.context("no block")
}

/// Two blocks of the runbook, one after the other as in one shell, for the namespace of a scene.
async fn rotate_by_hand(scene: &Scene, pair: (&str, &str)) -> Result<()> {
    let cluster = scene.stage.cluster()?;
    let script = format!("{}{}", documented("rotate")?, documented("wait")?)
        .replace("-n orders ", &format!("-n {} ", scene.namespace))
        .replace("_KEY_ID=AKIA...", &format!("_KEY_ID={}", pair.0))
        .replace("_ACCESS_KEY=...", &format!("_ACCESS_KEY={}", pair.1))
        .replace(
            "kubectl ",
            &format!("{} ", cluster.kubectl_program().display()),
        );
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", &script])
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("HOME", cluster.directory());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}\n{errors}");
    Ok(())
}

async fn the_runbook_of_a_rotation_runs_as_it_stands(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("orders-key-pair", PAIR).await?;
    scene
        .resource("orders", "orders-key-pair", json!({}))
        .await?;
    scene.until_agreed("orders").await?;
    scene.witness.secret(SECOND.1.as_bytes());
    rotate_by_hand(&scene, SECOND).await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    let revision = scene.published("orders").await?.revision;
    assert_eq!(revision, 2);
    Ok(())
}
