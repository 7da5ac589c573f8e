//! Runs the status readers that are built from `kstatus/`.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, Result, ensure};
use cluster::binaries::go_binary;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::gitops::test_cluster::folder;

/// Their output for a stream of objects.
pub async fn read(args: &[&str], objects: &[&Value]) -> Result<Vec<Value>> {
    let program = tokio::task::spawn_blocking(program).await??;
    let input: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let feed = tokio::spawn(async move { stdin.write_all(input.join("\n").as_bytes()).await });
    let output = child.wait_with_output().await?;
    feed.await??;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{args:?}: {errors}");
    let lines = String::from_utf8(output.stdout)?;
    let read: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
    let read = read.with_context(|| lines.clone())?;
    ensure!(read.len() == objects.len(), "{lines}");
    Ok(read)
}

/// Runs them without input; returns their output, or their errors.
pub async fn run(args: &[&str]) -> Result<String> {
    let program = tokio::task::spawn_blocking(program).await??;
    let output = Command::new(program).args(args).output().await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{args:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

fn program() -> Result<PathBuf> {
    go_binary(
        &folder("tests/api_server/gitops/kstatus"),
        ".",
        "kstatus",
        40,
    )
}
