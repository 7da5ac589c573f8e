//! The manifests that Helm renders from the operator's chart.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    control_plane::ControlPlane,
    shipped::CHART,
    tools::{self, Tool},
};

const PATIENCE: Duration = Duration::from_mins(3);

/// Renders some templates of the chart for a release, with values as `--set` takes them.
///
/// # Errors
/// Helm's standard error.
pub async fn rendered(
    release: &str,
    namespace: &str,
    values: &[&str],
    templates: &[&str],
) -> Result<String> {
    let mut args = ["template", release, CHART, "--namespace", namespace]
        .map(str::to_owned)
        .to_vec();
    for value in values {
        args.extend(["--set".to_owned(), (*value).to_owned()]);
    }
    for template in templates {
        args.extend([
            "--show-only".to_owned(),
            format!("templates/{template}.yaml"),
        ]);
    }
    tokio::task::spawn_blocking(move || {
        let output = Command::new(tools::find(Tool::Helm4)?)
            .args(args)
            .output()?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{complaints}");
        Ok(String::from_utf8(output.stdout)?)
    })
    .await?
}

/// Waits until the injection changes an annotated pod: a policy takes effect shortly after its binding is created.
///
/// # Errors
/// If nothing is injected in time, or the API server rejects the pod.
pub async fn until_injected(cluster: &ControlPlane, pod: &str) -> Result<()> {
    let file = cluster.directory().join("pod.yaml");
    std::fs::write(&file, pod)?;
    let file = file.display().to_string();
    let began = Instant::now();
    let dry = ["create", "--dry-run=server", "-o", "yaml", "-f", &file];
    while !cluster
        .kubectl(&dry)
        .await?
        .contains("name: awscredentials-dev")
    {
        ensure!(began.elapsed() < PATIENCE, "nothing is injected");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
