//! The chart as rendered by Helm.

use std::{path::PathBuf, process::Command};

use anyhow::{Result, ensure};
pub use cluster::shipped::CHART;
use cluster::tools::{Tool, find};
use serde_json::Value;

/// The chart's directory.
/// Both Helm versions in use.
pub const HELMS: [Tool; 2] = [Tool::Helm3, Tool::Helm4];
/// The newest API server that the chart supports. Without a version, Helm 3 assumes its own.
pub const NEWEST: &str = "1.37";
/// The oldest API server that the chart supports.
pub const OLDEST: &str = "1.31";

/// Sets of values to install the chart with, by name: no values, and the files in `ci/`.
pub fn ways() -> Result<Vec<(String, Vec<String>)>> {
    let mut ways = vec![("defaults".to_owned(), Vec::new())];
    for entry in std::fs::read_dir(format!("{CHART}/ci"))? {
        let path = entry?.path();
        let name = path.display().to_string();
        ways.push((name.clone(), vec!["--values".to_owned(), name]));
    }
    ensure!(ways.len() > 2, "the files in ci/ are found");
    Ok(ways)
}

/// The output of `helm template`, including hooks, for a cluster with the Prometheus operator.
pub fn template(helm: Tool, kubernetes: &str, values: &[String]) -> Result<String> {
    let mut args: Vec<String> = ["template", "aws", CHART, "--namespace", "operators"]
        .map(str::to_owned)
        .to_vec();
    args.push(format!("--kube-version={kubernetes}.0"));
    for kind in ["ServiceMonitor", "PodMonitor", "PrometheusRule"] {
        args.push(format!("--api-versions=monitoring.coreos.com/v1/{kind}"));
    }
    args.extend_from_slice(values);
    let (said, complaints, good) = run(helm, &args)?;
    ensure!(good, "helm {}: {complaints}", args.join(" "));
    Ok(said)
}

/// The objects in the output of `helm template`.
pub fn objects(helm: Tool, kubernetes: &str, values: &[String]) -> Result<Vec<Value>> {
    let text = template(helm, kubernetes, values)?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    Ok(objects
        .into_iter()
        .filter(|object| !object.is_null())
        .collect())
}

/// Runs a program. Returns both output streams, and whether the program succeeded.
pub fn run(tool: Tool, args: &[impl AsRef<std::ffi::OsStr>]) -> Result<(String, String, bool)> {
    run_with(tool, args, &[])
}

/// The same with environment variables.
pub fn run_with(
    tool: Tool,
    args: &[impl AsRef<std::ffi::OsStr>],
    env: &[(&str, &str)],
) -> Result<(String, String, bool)> {
    let program: PathBuf = find(tool)?;
    let output = Command::new(program)
        .args(args)
        // Keeps Helm away from a cluster of the user who runs the tests.
        .env("KUBECONFIG", "/dev/null")
        .envs(env.iter().copied())
        .output()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((
        text(output.stdout),
        text(output.stderr),
        output.status.success(),
    ))
}

/// `--set` for each value.
pub fn set(values: &[&str]) -> Vec<String> {
    values
        .iter()
        .flat_map(|value| ["--set".to_owned(), (*value).to_owned()])
        .collect()
}

/// Kind and name of an object.
pub fn name(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    format!("{} {name}", object["kind"].as_str().unwrap_or_default())
}
