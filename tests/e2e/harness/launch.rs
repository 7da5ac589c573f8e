//! The operator of an environment as a process: flags, start, responses, end.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use cluster::child_process::ChildProcess;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{test_cluster::rights, test_env::TestEnv};

static OPERATORS: AtomicUsize = AtomicUsize::new(0);

impl TestEnv {
    /// From its next start on, the operator connects to the API server directly, by TLS.
    pub async fn without_proxy(&mut self) -> Result<()> {
        let cluster = self.test_cluster.cluster();
        let kubeconfig = cluster.service_account_kubeconfig(&self.namespace, "operator", None);
        self.kubeconfig = kubeconfig.await?;
        Ok(())
    }

    /// From its next start on, the operator serves the namespace of another environment as well.
    pub async fn share_with(&mut self, other: &Self) -> Result<()> {
        let rights = rights(&other.namespace, &self.namespace)?;
        self.test_cluster.cluster().apply(&rights).await?;
        self.serve(&[&self.namespace.clone(), &other.namespace]);
        Ok(())
    }

    /// A flag with a value, added for the next start.
    pub fn flag(&mut self, name: &str, value: &str) {
        self.flags.extend([name.to_owned(), value.to_owned()]);
    }

    /// Flags without a value, added for the next start.
    pub fn flags(&mut self, names: &[&str]) {
        self.flags
            .extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// The namespaces that the operator serves from its next start on. All other flags are dropped.
    pub fn serve(&mut self, namespaces: &[&str]) {
        let flags = namespaces
            .iter()
            .flat_map(|namespace| ["--namespace", namespace]);
        self.flags = flags.map(str::to_owned).collect();
    }

    /// The first namespace that the operator serves: that of its account.
    pub fn served(&self) -> Option<String> {
        self.flags.get(1).cloned()
    }

    pub async fn start_operator(&mut self) -> Result<()> {
        self.launch()?;
        self.ready().await
    }

    /// Starts the operator without waiting for it.
    pub fn launch(&mut self) -> Result<()> {
        let operator = self.replica(&self.kubeconfig, &self.bind, &self.flags)?;
        self.operator = Some(operator);
        Ok(())
    }

    /// Starts a process of the operator.
    pub fn replica(&self, kubeconfig: &Path, bind: &str, flags: &[String]) -> Result<ChildProcess> {
        self.replica_in(kubeconfig, bind, flags, &[])
    }

    /// The same with further environment variables.
    pub fn replica_in(
        &self,
        kubeconfig: &Path,
        bind: &str,
        flags: &[String],
        more: &[(String, String)],
    ) -> Result<ChildProcess> {
        let number = OPERATORS.fetch_add(1, Ordering::Relaxed);
        let log = self
            .test_cluster
            .cluster()
            .directory()
            .join(format!("operator-{number}.log"));
        let mut args = ["run", "--bind", bind].map(str::to_owned).to_vec();
        if !flags.iter().any(|flag| flag == "--sts-endpoint") {
            args.extend(["--sts-endpoint".to_owned(), self.sts.url()]);
        }
        args.extend(flags.iter().cloned());
        self.invariants.log(log.clone());
        let env = [
            ("KUBECONFIG", kubeconfig.display().to_string()),
            ("AWSCREDS_LOG", "trace".to_owned()),
        ];
        let mut env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        env.extend_from_slice(more);
        env.extend(self.environment.iter().cloned());
        let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
        ChildProcess::spawn("operator", &program, &args, &env, &log)
    }

    /// Waits until `/readyz` is 200.
    pub async fn ready(&self) -> Result<()> {
        self.until("the operator is ready", async || {
            let answer = self.get_http("/readyz").await;
            Ok(answer
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
                .then_some(()))
        })
        .await
    }

    /// The operator's response on its own port, head and body.
    pub async fn get_http(&self, path: &str) -> Result<String> {
        get_http(&self.bind, path).await
    }

    pub fn operator(&self) -> Result<&ChildProcess> {
        self.operator.as_ref().context("the operator does not run")
    }

    /// Sends SIGTERM, and waits for the end of the process.
    pub fn stop_operator(&mut self) {
        self.invariants.scrape(&self.bind);
        self.operator = None;
    }

    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.operator()?.log())?)
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if self.operator.is_some() {
            self.stop_operator();
        }
    }
}

/// The response of a server on this machine, head and body.
pub async fn get_http(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(
            format!("GET {path} HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
