use std::process::Command;

use anyhow::ensure;
use cluster::{
    control_plane::Options,
    shipped::CHART,
    tools::{Tool, find},
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn helm_4_takes_over_what_the_demo_installs() -> Result<()> {
    is_taken_over_by(Tool::Helm4).await
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_3_takes_over_what_the_demo_installs() -> Result<()> {
    is_taken_over_by(Tool::Helm3).await
}

/// The value changes the rules of the `ClusterRole`, which would conflict with another field manager.
async fn is_taken_over_by(helm: Tool) -> Result<()> {
    let control_plane = ControlPlane::start(Options::default()).await?;
    let cluster = DemoCluster::own(control_plane, None);
    cluster.install_crd().await?;
    cluster.settle().await?;
    let kubeconfig = cluster.kubeconfig().context("no kubeconfig")?;
    let home = tempfile::tempdir()?;
    let helm = tokio::task::spawn_blocking(move || find(helm)).await??;
    let mut install = Command::new(helm);
    install
        .args(["install", helm::RELEASE, CHART])
        .args(["--namespace", helm::RELEASE])
        .arg("--set=rotation.consumers.enabled=true")
        .env("KUBECONFIG", kubeconfig)
        .env("HELM_CACHE_HOME", home.path())
        .env("HELM_CONFIG_HOME", home.path())
        .env("HELM_DATA_HOME", home.path());
    let output = tokio::task::spawn_blocking(move || install.output()).await??;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{errors}");
    Ok(())
}
