//! The cluster in which the chart is installed: a node that has the image, and an STS that its pods can reach.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{
    control_plane::{ControlPlane, Options},
    leak_check::{BEGINNING, Canaries},
    node::{KeptLogs, Node},
    sts::{Certificate, Sts},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::helm_e2e::{app::SECRET, release::NAMESPACE};

/// Image of the chart's pods.
pub const IMAGE: (&str, &str) = ("static-aws-credentials", "installed");
const PATIENCE: Duration = Duration::from_mins(3);

pub struct Site {
    // Dropped first: a node needs its control plane.
    pub node: Node,
    pub cluster: ControlPlane,
    pub sts: Sts,
    pub sts_ca: String,
    logs: KeptLogs,
    secrets: Mutex<Vec<String>>,
}

impl Site {
    pub async fn open() -> Result<Self> {
        let built = tokio::task::spawn_blocking(image::built).await??;
        let cluster = ControlPlane::start(Options::with_node()).await?;
        let node = Node::start(&cluster).await?;
        let name = format!("{}:{}", IMAGE.0, IMAGE.1);
        node.import_archive(&built.archive, &name).await?;
        let bridge = IpAddr::V4(node.bridge_address());
        let (sts, sts_ca) = Sts::start_tls_on(bridge, Certificate::Valid).await?;
        Ok(Self {
            logs: node.keep_logs(NAMESPACE)?,
            secrets: Mutex::new(vec![SECRET.to_owned()]),
            node,
            cluster,
            sts,
            sts_ca,
        })
    }

    /// Values that must not be exposed.
    pub fn secrets(&self) -> MutexGuard<'_, Vec<String>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails if the operator's pods expose a secret value in the cluster or on their own port.
    pub async fn shows_nothing(&self) -> Result<()> {
        let canaries = Canaries::of(&self.secrets())?;
        canaries.unwritten(&self.cluster).await?;
        let addresses = "jsonpath={.items[*].status.podIP}";
        let running = "--field-selector=status.phase=Running";
        let pods = ["-n", NAMESPACE, "get", "pods", running, "-o", addresses];
        let addresses = self.cluster.kubectl(&pods).await?;
        ensure!(!addresses.is_empty(), "there are no pods");
        for address in addresses.split(' ') {
            for (port, path) in [(8080, "/metrics"), (8081, "/readyz"), (8081, "/livez")] {
                let shown = self.asked(&format!("{address}:{port}"), path).await?;
                canaries.unshown(path, &shown)?;
            }
        }
        Ok(())
    }

    async fn asked(&self, address: &str, path: &str) -> Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        Ok(answer)
    }

    /// Fails if any pod, past or present, logged a secret value (the operator's pods log at `trace`), or if fewer than
    /// `least` of the logs are the operator's.
    pub fn logged_nothing(&self, least: usize) -> Result<()> {
        let canaries = Canaries::of(&self.secrets())?;
        let logs = self.logs.read()?;
        for (name, log) in &logs {
            canaries.unshown(name, log)?;
        }
        let began = logs.iter().filter(|(_, log)| log.contains(BEGINNING));
        let (began, all) = (began.count(), logs.len());
        ensure!(began >= least, "{began} of {all} logs are the operator's");
        Ok(())
    }

    /// A namespace under Pod Security `restricted`.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        let label = "pod-security.kubernetes.io/enforce: restricted";
        let namespace = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{{label}}}}}}}"
        );
        self.cluster.apply(&namespace).await.map(drop)
    }

    /// One field of one object.
    pub async fn read(&self, namespace: &str, object: &str, path: &str) -> Result<String> {
        let output = format!("jsonpath={path}");
        let get = ["-n", namespace, "get", object, "-o", &output];
        self.cluster.kubectl(&get).await
    }

    /// Polls, since kubelet and operator give no notification.
    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> Result<()>) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let Err(error) = is_so().await else {
                return Ok(());
            };
            if Instant::now() > end {
                return Err(error.context(format!("awaited: {what}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until one field of one object has the expected value.
    pub async fn until_reads(
        &self,
        namespace: &str,
        object: &str,
        path: &str,
        expected: &str,
    ) -> Result<()> {
        let what = format!("{path} of {object} is {expected}");
        self.until(&what, async || {
            let found = self.read(namespace, object, path).await?;
            ensure!(found == expected, "it is {found:?}");
            Ok(())
        })
        .await
    }

    /// Adds the logs of the namespace's pods to an error.
    pub async fn explained<T>(&self, namespace: &str, result: Result<T>) -> Result<T> {
        let Err(error) = result else { return result };
        let pods = ["-n", namespace, "get", "pods", "-o", "wide"];
        let pods = self.cluster.kubectl(&pods).await.unwrap_or_default();
        let mut logs = String::new();
        for pod in pods
            .lines()
            .skip(1)
            .filter_map(|line| line.split(' ').next())
        {
            let log = self.node.pod_log(namespace, pod, "operator");
            logs.extend([pod, ":\n", &log.unwrap_or_default(), "\n"]);
        }
        let events = ["-n", namespace, "get", "events"];
        let events = self.cluster.kubectl(&events).await.unwrap_or_default();
        Err(error).context(format!("{pods}\n{events}\n{logs}"))
    }
}
