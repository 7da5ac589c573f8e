//! The commands of docs/operations.md and docs/upgrade-and-uninstall.md, run as documented.

use std::{
    io::{Seek, Write},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use kube::ResourceExt;
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    the_runbook_of_a_rotation_runs_as_it_stands,
    the_way_to_keep_a_target_runs_as_it_stands,
];

const RUNBOOK: &str = include_str!("../../../docs/operations.md");
const UNINSTALL: &str = include_str!("../../../docs/upgrade-and-uninstall.md");

/// The commands below a mark in a page.
fn documented(page: &'static str, mark: &str) -> Result<&'static str> {
    let (_, rest) = page
        .split_once(&format!("<!-- tried: {mark} -->"))
        .with_context(|| format!("no page has {mark}"))?;
    let block = rest.split("```").nth(1);
    let block = block.and_then(|block| block.strip_prefix("sh\n"));
    block.context("no block")
}

/// Runs commands in one shell, in the namespace of an environment, with a pair on standard input.
async fn run(env: &TestEnv, script: &str) -> Result<()> {
    let cluster = env.test_cluster.cluster();
    let script = script
        .replace("-n orders ", &format!("-n {} ", env.namespace))
        .replace(
            "kubectl ",
            &format!("{} ", cluster.kubectl_program().display()),
        );
    let mut typed = tempfile::tempfile()?;
    writeln!(typed, "AWS_ACCESS_KEY_ID={}", SECOND.0)?;
    writeln!(typed, "AWS_SECRET_ACCESS_KEY={}", SECOND.1)?;
    typed.rewind()?;
    let mut command = Command::new("bash");
    command.stdin(typed);
    command
        .args(["-euo", "pipefail", "-c", &script])
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("HOME", cluster.directory());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}\n{errors}");
    Ok(())
}

async fn the_runbook_of_a_rotation_runs_as_it_stands(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("orders-key-pair", PAIR).await?;
    env.resource("orders", "orders-key-pair", json!({})).await?;
    env.until_converged("orders").await?;
    env.invariants.secret(SECOND.1.as_bytes());
    let commands = [documented(RUNBOOK, "rotate")?, documented(RUNBOOK, "wait")?];
    run(&env, &commands.concat()).await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    let revision = env.published("orders").await?.revision;
    assert_eq!(revision, 2);
    Ok(())
}

async fn the_way_to_keep_a_target_runs_as_it_stands(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    run(&env, documented(UNINSTALL, "retain")?).await?;
    env.delete_resource("orders").await?;
    env.until_idle().await?;
    assert!(env.secrets.get(TARGET).await?.owner_references().is_empty());
    Ok(())
}
