//! A shell in a directory of its own, with the programs of the page.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use cluster::{
    control_plane::ControlPlane,
    tools::{Tool, find},
};

/// moto's name in its certificate.
pub const CERTIFIED: &str = "DNS:moto.moto.svc";
/// moto's address for the operator and for pods.
pub const ADDRESS: &str = "moto.moto.svc:5000";
/// The beginning of a command in the container with the AWS CLI.
pub const IN_CONTAINER: &str = "kubectl -n moto exec deployment/moto -c aws -- aws ";

/// A shell. Its directory has the chart at the path of the page, and gets the files that the commands write.
pub struct Terminal {
    directory: tempfile::TempDir,
    kubeconfig: PathBuf,
    moto: SocketAddr,
    /// A function `aws`.
    aws: String,
}

impl Terminal {
    pub async fn open(cluster: &ControlPlane, moto: SocketAddr) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let programs = directory.path().join("programs");
        std::fs::create_dir(&programs)?;
        let helm = tokio::task::spawn_blocking(|| find(Tool::Helm4)).await??;
        let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts");
        for (original, link) in [
            (helm.as_path(), programs.join("helm")),
            (cluster.kubectl_program(), programs.join("kubectl")),
            (charts.as_path(), directory.path().join("charts")),
        ] {
            std::os::unix::fs::symlink(original, link)?;
        }
        Ok(Self {
            directory,
            kubeconfig: cluster.kubeconfig().to_owned(),
            moto,
            aws: String::new(),
        })
    }

    /// Where the commands write their files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sets the program that runs in the place of the AWS CLI, and its variables.
    pub fn set_aws(&mut self, python: &Path, variables: &[(String, String)]) {
        let mut words = format!("{} -B -m awscli", python.display());
        for (name, value) in variables {
            let value = self.adapted(value).replace("/moto/ca.crt", "moto.crt");
            words = format!("{name}='{value}' {words}");
        }
        self.aws = format!("aws() {{ {words} \"$@\"; }}\n");
    }

    /// Runs commands of the page, and returns their output.
    pub async fn run(&self, commands: &str) -> Result<String> {
        let script = format!("{}{}", self.aws, self.adapted(commands));
        let path = std::env::var("PATH").unwrap_or_default();
        let programs = self.directory().join("programs");
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script])
            .current_dir(self.directory())
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("KUBECONFIG", &self.kubeconfig)
            // kubectl caches discovery there by the port alone, which another cluster may have had.
            .env("HOME", self.directory())
            .env_remove("KUBECACHEDIR");
        // The environment of the tests may have an AWS profile or a proxy.
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
                bash.env_remove(name);
            }
        }
        let output = tokio::task::spawn_blocking(move || bash.output()).await?;
        let output = output.context("cannot start bash")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{script}\n{text}{errors}");
        Ok(text)
    }

    /// A text of the page for a node without cluster DNS, and for moto on this machine.
    fn adapted(&self, text: &str) -> String {
        text.replace(CERTIFIED, &format!("IP:{}", self.moto.ip()))
            .replace(ADDRESS, &self.moto.to_string())
            .replace(IN_CONTAINER, "aws ")
    }
}
