//! A release of the chart, installed by one of the two Helm versions.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use cluster::tools::{self, Tool};

use crate::helm_e2e::site::{IMAGE, Site};

/// A cluster has one install, so both Helm versions use the same name and namespace, one after the other.
pub const NAME: &str = "aws";
pub const NAMESPACE: &str = "aws-system";
/// The Deployment.
pub const OPERATOR: &str = "aws-static-aws-credentials";
const CA: &str = "sts-ca";

pub struct Release<'a> {
    site: &'a Site,
    helm: PathBuf,
    home: tempfile::TempDir,
    values: PathBuf,
}

impl<'a> Release<'a> {
    /// Prepares the namespace, and installs nothing yet.
    pub async fn new(site: &'a Site, tool: Tool) -> Result<Self> {
        site.namespace(NAMESPACE).await?;
        let authority = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": CA, "namespace": NAMESPACE },
            "data": { "ca.crt": site.sts_ca },
        });
        site.cluster.apply(&authority.to_string()).await?;
        let home = tempfile::tempdir()?;
        let values = home.path().join("values.yaml");
        let (repository, tag) = IMAGE;
        let endpoint = site.sts.url();
        std::fs::write(
            &values,
            format!(
                "image: {{repository: {repository}, tag: {tag}, pullPolicy: Never}}\n\
                 sts: {{endpoint: '{endpoint}', ca: {{configMapName: {CA}}}}}\n\
                 networkPolicy: {{apiServerPorts: [443, 6443]}}\n\
                 log: {{filter: trace}}\n"
            ),
        )?;
        let helm = tokio::task::spawn_blocking(move || tools::find(tool)).await??;
        Ok(Self {
            site,
            helm,
            home,
            values,
        })
    }

    pub async fn install(&self, chart: &Path) -> Result<String> {
        self.with_chart("install", chart).await
    }

    pub async fn upgrade(&self, chart: &Path) -> Result<String> {
        self.with_chart("upgrade", chart).await
    }

    async fn with_chart(&self, verb: &str, chart: &Path) -> Result<String> {
        let (chart, values) = (
            chart.display().to_string(),
            self.values.display().to_string(),
        );
        let args = [
            verb,
            NAME,
            &chart,
            "--values",
            &values,
            "--wait",
            "--timeout=4m",
        ];
        let done = self.helm(&args).await;
        self.site.explained(NAMESPACE, done).await
    }

    /// Runs `helm test`.
    pub async fn test(&self) -> Result<String> {
        let done = self.helm(&["test", NAME, "--timeout=2m"]).await;
        self.site.explained(NAMESPACE, done).await
    }

    pub async fn uninstall(&self) -> Result<String> {
        self.helm(&["uninstall", NAME, "--wait", "--timeout=2m"])
            .await
    }

    async fn helm(&self, args: &[&str]) -> Result<String> {
        self.helm_in(NAMESPACE, args).await
    }

    /// Runs Helm in a namespace.
    pub async fn helm_in(&self, namespace: &str, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.helm);
        command
            .args(args)
            .args(["--namespace", namespace])
            .env("KUBECONFIG", self.site.cluster.kubeconfig())
            .env("HELM_CACHE_HOME", self.home.path())
            .env("HELM_CONFIG_HOME", self.home.path())
            .env("HELM_DATA_HOME", self.home.path());
        let what = format!("helm {}", args.join(" "));
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.with_context(|| what.clone())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{what}:\n{text}{errors}");
        Ok(text)
    }

    /// The name of the leader's pod.
    pub async fn leader(&self) -> Result<String> {
        let lease = format!("lease/{OPERATOR}");
        let holder = self
            .site
            .read(NAMESPACE, &lease, "{.spec.holderIdentity}")
            .await?;
        let pod = holder.split('_').next().filter(|pod| !pod.is_empty());
        pod.map(str::to_owned).context("nobody leads")
    }
}
