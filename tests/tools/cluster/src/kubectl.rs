//! A run of `kubectl`.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, process::Command};

/// Runs a prepared `kubectl` with these arguments and this standard input, and returns its output.
///
/// # Errors
/// When it fails; the error contains the arguments and the standard error.
pub async fn run(mut kubectl: Command, args: &[&str], input: &str) -> Result<String> {
    let mut kubectl = kubectl
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start kubectl")?;
    let mut pipe = kubectl.stdin.take().context("no pipe to kubectl")?;
    let fed = async {
        // `kubectl` may end before it has read all; its standard error has the reason.
        let _ = pipe.write_all(input.as_bytes()).await;
        drop(pipe);
    };
    let (output, ()) = tokio::join!(kubectl.wait_with_output(), fed);
    let output = output.context("cannot wait for kubectl")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("kubectl {} failed: {}", args.join(" "), words.trim());
    }
    let written = String::from_utf8(output.stdout);
    written.with_context(|| format!("kubectl {} wrote no text", args.join(" ")))
}
