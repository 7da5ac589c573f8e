//! A neighbour's program under an account of its own with cluster-admin.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cluster::{binaries::go_binary, child_process::ChildProcess, control_plane::ControlPlane};
use tokio::process::Command;

/// The account of every neighbour, in the neighbour's own namespace.
pub const ACCOUNT: &str = "neighbour";

/// A package of one of the modules in `go/`, and the duration of a first build on two cores.
pub struct Package {
    pub module: &'static str,
    pub path: &'static str,
    pub name: &'static str,
    pub usual_seconds: u64,
}

impl Package {
    fn directory(&self) -> PathBuf {
        let go = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/neighbours/go");
        Path::new(go).join(self.module)
    }

    /// Builds the package if necessary.
    pub async fn build(&self) -> Result<PathBuf> {
        let (directory, path, name) = (self.directory(), self.path, self.name);
        let seconds = self.usual_seconds;
        let build = move || go_binary(&directory, path, name, seconds);
        tokio::task::spawn_blocking(build).await?
    }

    /// Files of the package's repository, such as its definitions, sorted by name.
    pub async fn files(&self, of: &str, directory: &str) -> Result<Vec<String>> {
        let args = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", of];
        let output = Command::new("go")
            .args(args)
            .current_dir(self.directory())
            .output();
        let root = String::from_utf8(output.await?.stdout)?;
        let directory = Path::new(root.trim()).join(directory);
        let found = std::fs::read_dir(&directory);
        let found = found.with_context(|| directory.display().to_string())?;
        let mut files = found
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        files.sort();
        let texts = files.iter().map(std::fs::read_to_string);
        let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        ensure!(!texts.is_empty(), "{} is empty", directory.display());
        Ok(texts)
    }
}

/// Creates a namespace with the account.
pub async fn home(cluster: &ControlPlane, prefix: &str) -> Result<String> {
    let home = cluster.namespace(prefix).await?;
    cluster
        .kubectl(&["create", "serviceaccount", ACCOUNT, "-n", &home])
        .await?;
    let subject = format!("--serviceaccount={home}:{ACCOUNT}");
    let all = ["--clusterrole=cluster-admin", &subject];
    let binding = ["create", "clusterrolebinding", &home];
    cluster.kubectl(&[&binding[..], &all].concat()).await?;
    Ok(home)
}

/// Starts a program under the account of its namespace.
pub async fn start(
    cluster: &ControlPlane,
    home: &str,
    (program, args): (&Path, &[&str]),
    env: &[(&str, String)],
) -> Result<ChildProcess> {
    let kubeconfig = cluster
        .service_account_kubeconfig(home, ACCOUNT, None)
        .await?;
    let kubeconfig = kubeconfig.display().to_string();
    let mut all: Vec<String> = Vec::new();
    all.extend(
        args.iter()
            .map(|arg| arg.replace("KUBECONFIG", &kubeconfig)),
    );
    let mut environment = vec![("KUBECONFIG".to_owned(), kubeconfig)];
    let more = env.iter();
    environment.extend(more.map(|(name, value)| ((*name).to_owned(), value.clone())));
    let log = cluster.directory().join(format!("{home}.log"));
    ChildProcess::spawn(home, program, &all, &environment, &log)
}
