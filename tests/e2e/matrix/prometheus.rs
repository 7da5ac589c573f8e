//! A real Prometheus that scrapes an operator and evaluates the chart's alerts.

use std::{
    path::PathBuf,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
pub use cluster::shipped::ALERTS;
use cluster::{
    child_process::ChildProcess,
    ports::unused_address,
    tools::{prometheus, promtool},
};
use serde_json::{Value, json};

/// A Prometheus that scrapes each second until it is dropped.
pub struct Prometheus {
    url: String,
    promtool: PathBuf,
    _process: ChildProcess,
    _directory: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes an address, and the Prometheus itself.
    pub async fn of(operator: &str) -> Result<Self> {
        let job = json!({
            "job_name": "operator",
            "honor_labels": true,
            "static_configs": [{ "targets": [operator] }],
        });
        Self::start(&job).await
    }

    /// The same with `overrideHonorLabels`, and with the relabeling of the chart's monitors.
    pub async fn overriding(operator: &str) -> Result<Self> {
        let relabeling = json!({
            "source_labels": ["exported_namespace"],
            "regex": "(.+)",
            "target_label": "namespace",
        });
        let job = json!({
            "job_name": "operator",
            "honor_labels": false,
            "static_configs": [{ "targets": [operator], "labels": { "namespace": "operators" } }],
            "metric_relabel_configs": [relabeling],
        });
        Self::start(&job).await
    }

    async fn start(job: &Value) -> Result<Self> {
        // apt-get may have to install it first.
        let programs = tokio::task::spawn_blocking(|| anyhow::Ok((prometheus()?, promtool()?)));
        let (program, promtool) = programs.await??;
        let directory = tempfile::tempdir()?;
        let address = unused_address()?;
        let itself = json!({ "job_name": "itself", "static_configs": [{ "targets": [&address] }] });
        let configuration = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": ["alerts.yaml"],
            "scrape_configs": [job, itself],
        });
        let alerts = ALERTS.replace("${notVerifiedHours}", "26");
        let alerts = alerts.replace("${lease}", "static-aws-credentials");
        std::fs::write(directory.path().join("alerts.yaml"), alerts)?;
        let file = directory.path().join("prometheus.yaml");
        std::fs::write(&file, configuration.to_string())?;
        let args = [
            format!("--config.file={}", file.display()),
            format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ),
            format!("--web.listen-address={address}"),
        ];
        let log = directory.path().join("log");
        let process = ChildProcess::spawn("prometheus", &program, &args, &[], &log)?;
        Ok(Self {
            url: format!("http://{address}"),
            promtool,
            _process: process,
            _directory: directory,
        })
    }

    /// The values of an expression in each second of the last 5 minutes.
    pub async fn remember(&self, expression: &str) -> Result<Vec<(Value, Vec<(f64, f64)>)>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let bounds = [
            format!("--start={}", now - 300),
            format!("--end={now}"),
            "--step=1s".to_owned(),
        ];
        let mut command = Command::new(&self.promtool);
        command.args(["query", "-o", "json", "range"]).args(bounds);
        command.args([&self.url, expression]);
        let answer = answer(command).await?;
        let one = |series: &Value| {
            let points = series["values"].as_array().into_iter().flatten();
            let point = |point: &Value| {
                let value = point[1].as_str().context("no value")?;
                Ok((point[0].as_f64().context("no time")?, value.parse()?))
            };
            let points: Result<_> = points.map(point).collect();
            Ok((series["metric"].clone(), points?))
        };
        answer.as_array().into_iter().flatten().map(one).collect()
    }

    /// The current values of an expression: labels and value of each series.
    pub async fn ask(&self, expression: &str) -> Result<Vec<(Value, f64)>> {
        let mut command = Command::new(&self.promtool);
        command.args(["query", "-o", "json", "instant", &self.url, expression]);
        let answer = answer(command).await?;
        let series = answer.as_array().into_iter().flatten();
        let one = |series: &Value| {
            let value = series["value"][1].as_str().context("no value")?;
            Ok((series["metric"].clone(), value.parse()?))
        };
        series.map(one).collect()
    }
}

async fn answer(mut command: Command) -> Result<Value> {
    let (command, output) = tokio::task::spawn_blocking(move || {
        let output = command.output();
        (command, output)
    })
    .await?;
    let output = output?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {errors}");
    Ok(serde_json::from_slice(&output.stdout)?)
}
