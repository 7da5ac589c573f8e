//! The operator's process, from the build of its binary to its end.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{child_process::ChildProcess, ports::unused_address};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{process::Process, test_cluster::TestCluster};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
const PATIENCE: Duration = Duration::from_mins(5);
/// High enough not to limit the figures, since rotations bring new pairs.
const STS_RATE: &str = "100000";
/// The same as in the chart.
const MALLOC: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072");
const LOST_EVENTS: &str = "staticawscredentials_events_lost_total";
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A running operator.
pub struct Operator {
    child: ChildProcess,
    bind: String,
    began: Instant,
}

/// Builds the operator in release mode, and returns its path.
pub fn build() -> Result<PathBuf> {
    eprintln!("building the operator; this takes minutes the first time");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--locked"])
        .args(["--package", "static-aws-credentials"])
        .current_dir(ROOT);
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo build: {status}");
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target = Path::new(ROOT).join(target);
    Ok(target.join("release/static-aws-credentials"))
}

impl Operator {
    /// Starts the operator for all namespaces, with its own account, and does not wait for it.
    pub async fn start(
        test_cluster: &TestCluster,
        program: &Path,
        proxy: Option<&str>,
    ) -> Result<Self> {
        let kubeconfig = test_cluster.kubeconfig(proxy).await?;
        let bind = unused_address()?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let log = test_cluster
            .cluster
            .directory()
            .join(format!("operator-{number}.log"));
        let sts = test_cluster.sts.url();
        let args = [
            "run",
            "--bind",
            &bind,
            "--sts-endpoint",
            &sts,
            "--sts-rate",
            STS_RATE,
        ];
        let kubeconfig = kubeconfig.display().to_string();
        let env = [("KUBECONFIG", kubeconfig.as_str()), MALLOC];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let began = Instant::now();
        let args = args.map(str::to_owned);
        let child = ChildProcess::spawn("operator", program, &args, &env, &log)?;
        Ok(Self { child, bind, began })
    }

    pub fn process(&self) -> Process {
        Process(self.child.pid())
    }

    /// Waits until the operator is ready, and returns the time since its start.
    pub async fn ready(&self) -> Result<Duration> {
        loop {
            self.child.check()?;
            if is_ready(&self.bind).await.unwrap_or(false) {
                return Ok(self.began.elapsed());
            }
            ensure!(self.began.elapsed() < PATIENCE, "the operator is not ready");
            // Readiness can only be polled.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Events that this process has not published.
    pub async fn lost_events(&self) -> Result<f64> {
        let metrics = get(&self.bind, "/metrics").await?;
        value(&metrics, LOST_EVENTS).with_context(|| format!("no metric {LOST_EVENTS}"))
    }

    /// Sends SIGTERM, and waits for the end.
    pub async fn stop(self) -> Result<()> {
        Ok(tokio::task::spawn_blocking(move || drop(self)).await?)
    }
}

async fn is_ready(address: &str) -> Result<bool> {
    let answer = get(address, "/readyz").await?;
    Ok(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200"))
}

/// Head and body of an answer. In HTTP 1.0, the body has no chunks.
async fn get(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: operator\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The value of a metric without labels.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let mut values = metrics.lines().filter_map(|line| line.strip_prefix(name));
    values.find_map(|value| value.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_memory_is_managed_as_in_a_pod() {
        let chart = include_str!("../../../../charts/static-aws-credentials/templates/_pod.tpl");
        let (name, value) = MALLOC;
        assert!(chart.contains(&format!("- {{name: {name}, value: {value}}}\n")));
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let metrics = format!(
            "HTTP/1.0 200 OK\r\n\r\n# TYPE {LOST_EVENTS} counter\n{LOST_EVENTS}_of 7\n{LOST_EVENTS} 12\n"
        );
        assert_eq!(value(&metrics, LOST_EVENTS), Some(12.0));
        assert_eq!(value(&metrics, "staticawscredentials_events"), None);
    }
}
