//! A control plane with the definition, and Helm, which installs the chart in it.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, bail};
pub use cluster::shipped::CHART;
use cluster::{
    binaries::{self, Binary},
    control_plane::{ControlPlane, Options},
    shipped::CRD,
    tools::{self, Tool},
};

/// Time limit for asynchronous actions of the cluster.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// State shared by all tests.
pub struct TestCluster {
    cluster: ControlPlane,
    helm: PathBuf,
    installed: Mutex<Vec<(String, String)>>,
}

impl TestCluster {
    pub async fn start() -> Result<Self> {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Result<Self> {
        let helm = tokio::task::spawn_blocking(|| tools::find(Tool::Helm4)).await??;
        let cluster = ControlPlane::start(options).await?;
        cluster.define(CRD).await?;
        Ok(Self {
            cluster,
            helm,
            installed: Mutex::default(),
        })
    }

    pub fn cluster(&self) -> &ControlPlane {
        &self.cluster
    }

    /// Runs Helm and returns its output.
    pub async fn helm(&self, args: &[&str]) -> Result<String> {
        let (cluster, helm) = (&self.cluster, &self.helm);
        let home = cluster.directory().join("helm");
        let output = tokio::process::Command::new(helm)
            .args(args)
            .env("KUBECONFIG", cluster.kubeconfig())
            .envs(
                [
                    "HELM_CACHE_HOME",
                    "HELM_CONFIG_HOME",
                    "HELM_DATA_HOME",
                    "HOME",
                ]
                .map(|name| (name, &home)),
            )
            .stdin(Stdio::null())
            .output()
            .await?;
        if !output.status.success() {
            bail!(
                "helm {}: {}",
                args.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs commands of a user, with `helm` and `kubectl` on the path.
    pub async fn shell(&self, script: &str) -> Result<String> {
        let (cluster, helm) = (&self.cluster, &self.helm);
        let home = cluster.directory().join("helm");
        let bin = home.join("bin");
        std::fs::create_dir_all(&bin)?;
        let kubectl = binaries::find(&[Binary::Kubectl])?;
        for (name, program) in [("helm", helm), ("kubectl", &kubectl[0])] {
            let link = bin.join(name);
            if !link.exists() {
                std::os::unix::fs::symlink(program, link)?;
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let output = tokio::process::Command::new("sh")
            .args(["-euc", script])
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", &home)
            .current_dir(&home)
            .output()
            .await?;
        if !output.status.success() {
            bail!("{script}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Installs the chart without the definition, which the cluster already has.
    pub async fn install(&self, release: &str, namespace: &str, args: &[&str]) -> Result<String> {
        let mut all = vec!["install", release, CHART, "--namespace", namespace];
        all.extend(["--set", "crds.install=false"]);
        all.extend(args);
        let written = self.helm(&all).await?;
        self.lock().push((release.to_owned(), namespace.to_owned()));
        Ok(written)
    }

    pub async fn uninstall(&self, release: &str, namespace: &str) -> Result<()> {
        self.helm(&["uninstall", release, "--namespace", namespace, "--wait"])
            .await?;
        self.lock().retain(|(name, _)| name != release);
        Ok(())
    }

    /// Clears the cluster for the next test.
    pub async fn uninstall_all(&self) -> Result<()> {
        let left = std::mem::take(&mut *self.lock());
        for (release, namespace) in left {
            self.uninstall(&release, &namespace).await?;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(String, String)>> {
        self.installed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of the admission policies of a kind.
    pub async fn policies(&self, kind: &str) -> Result<Vec<String>> {
        let names = self.cluster.kubectl(&["get", kind, "-o", "name"]).await?;
        Ok(names
            .lines()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
            .collect())
    }
}

/// Fails unless Helm rejected the command with these words.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(answer: &Result<T>, words: &str) {
    let Err(error) = answer else {
        panic!("{answer:?}");
    };
    let text = format!("{error:#}");
    assert!(text.contains(words), "not {words:?} but {text}");
}
