//! A node with real pods: containerd and kubelet, in process and mount namespaces of their own.
//!
//! Two changes of the machine remain: missing packages are installed, and the kernel forwards packets
//! (`net.ipv4.ip_forward`), as every kind of pod network needs.

mod config;
mod image;
mod machine;
mod pod_log;
mod runtime;
mod sandbox;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::{Api, runtime::wait::await_condition};

use crate::{
    binaries::{self, Binary},
    child_process::{ChildProcess, log_tail},
    cleanup,
    control_plane::{ControlPlane, DEADLINE, flag},
    host_allocation::HostAllocation,
    network,
};
use config::Layout;
pub use pod_log::KeptLogs;
use runtime::Runtime;
use sandbox::enter;

const PAUSE_IMAGE: &str = "cluster.test/pause:1";

/// A running node.
#[derive(Debug)]
pub struct Node {
    kubelet: ChildProcess,
    runtime: Runtime,
    // The first process of the namespaces: all others end with it.
    sandbox: ChildProcess,
    layout: Layout,
    name: String,
    allocation: Arc<HostAllocation>,
}

impl Node {
    /// Whether this machine can run a node.
    ///
    /// # Errors
    /// The reason why it cannot, as one sentence.
    pub fn supported() -> Result<(), String> {
        machine::supported()
    }

    /// Whether this machine cannot run a node. If so, a message reports that `what` was skipped.
    ///
    /// # Errors
    /// If so in continuous integration, where a suite must not be skipped unnoticed.
    pub fn is_lacking(what: &str) -> Result<bool> {
        let Err(reason) = Self::supported() else {
            return Ok(false);
        };
        ensure!(std::env::var_os("CI").is_none(), "{what}: {reason}");
        eprintln!("SKIPPED: {what}, because {reason}");
        Ok(true)
    }

    /// Starts a node for a control plane with a scheduler, and waits until pods can run on it.
    ///
    /// # Errors
    /// When the machine cannot run a node, or a part does not become ready.
    pub async fn start(control_plane: &ControlPlane) -> Result<Self> {
        Self::supported().map_err(|reason| anyhow!(reason))?;
        ensure!(
            control_plane.has_scheduler(),
            "a node needs a control plane with a scheduler"
        );
        let allocation = Arc::clone(control_plane.allocation());
        let port = control_plane.port();
        let name = format!("node-{}", allocation.number());
        let user = format!("system:node:{name}");
        let kubeconfig =
            control_plane.identity_kubeconfig("kubelet-client", &user, "system:nodes")?;
        let layout = Layout::new(&allocation)?;
        let kubelet = config::kubelet(&layout, &allocation, control_plane.authority())?;
        let started =
            move || Self::start_parts(allocation, layout, name, port, &kubelet, &kubeconfig);
        let node = tokio::task::spawn_blocking(started).await??;
        node.wait_until_ready(control_plane).await?;
        Ok(node)
    }

    fn start_parts(
        allocation: Arc<HostAllocation>,
        layout: Layout,
        name: String,
        api_server: u16,
        kubelet_config: &Path,
        kubeconfig: &Path,
    ) -> Result<Self> {
        machine::prepare()?;
        let pause = Path::new(env!("CARGO_MANIFEST_DIR")).join("pause");
        let pause = binaries::go_binary(&pause, ".", "pause", 10)?;
        let found = binaries::find(&[Binary::Kubelet])?;
        let kubelet = found.first().context("no kubelet")?;
        let cni = machine::cni_directory().context("no network plugins")?;

        cleanup::remove_node(allocation.number())?;
        network::create(&allocation, api_server)?;
        cleanup::make_cgroups(allocation.number())?;
        config::cni(&layout, &allocation)?;
        let sandbox = sandbox::start(&layout, &pause)?;
        let runtime = Runtime::start(&sandbox, &layout, &cni)?;
        runtime.import(PAUSE_IMAGE, &pause, &[])?;
        let kubelet_flags = [
            flag("config", kubelet_config.display()),
            flag("kubeconfig", kubeconfig.display()),
            flag("hostname-override", &name),
            flag("node-ip", allocation.bridge_address()),
            flag("root-dir", layout.path("kubelet").display()),
            flag("cert-dir", layout.path("kubelet-certificates").display()),
        ];
        Ok(Self {
            kubelet: enter(&sandbox, &layout, "kubelet", kubelet, &kubelet_flags)?,
            runtime,
            sandbox,
            layout,
            name,
            allocation,
        })
    }

    async fn wait_until_ready(&self, control_plane: &ControlPlane) -> Result<()> {
        let nodes = Api::<NodeObject>::all(control_plane.client());
        let ready = await_condition(nodes, &self.name, takes_pods);
        if let Ok(ready) = tokio::time::timeout(DEADLINE, ready).await {
            return ready.map(drop).context("cannot watch the node");
        }
        self.check()?;
        let words = log_tail(self.kubelet.log()).unwrap_or_default();
        bail!(
            "{} is not ready; the end of kubelet's log:\n{words}",
            self.name
        )
    }

    /// Imports an image called `name`, which starts the static `binary` as an unprivileged user. `extra_files` are
    /// paths in the image and their contents. Pods use the image with `imagePullPolicy: Never`.
    ///
    /// # Errors
    /// When the binary cannot be read or containerd rejects the image.
    pub async fn import_image(
        &self,
        name: &str,
        binary: &Path,
        extra_files: &[(&str, &[u8])],
    ) -> Result<()> {
        let (runtime, name, binary) = (self.runtime.clone(), name.to_owned(), binary.to_owned());
        let owned = |(path, content): &(&str, &[u8])| ((*path).to_owned(), content.to_vec());
        let files: Vec<_> = extra_files.iter().map(owned).collect();
        tokio::task::spawn_blocking(move || runtime.import(&name, &binary, &files)).await?
    }

    /// Imports the image in an OCI archive as `name`. Pods use it with `imagePullPolicy: Never`.
    ///
    /// # Errors
    /// When the archive cannot be read or containerd rejects it.
    pub async fn import_archive(&self, archive: &Path, name: &str) -> Result<()> {
        let (runtime, name, archive) = (self.runtime.clone(), name.to_owned(), archive.to_owned());
        tokio::task::spawn_blocking(move || runtime.import_archive(&archive, &name)).await?
    }

    /// The output of a container so far, with all its restarts in order.
    ///
    /// # Errors
    /// When there is no such log yet.
    pub fn pod_log(&self, namespace: &str, pod: &str, container: &str) -> Result<String> {
        pod_log::read(&self.layout.pod_logs(), namespace, pod, container)
    }

    /// Keeps the logs of all pods of a namespace from now on, also those of deleted pods.
    ///
    /// # Errors
    /// When the directory for them cannot be made.
    pub fn keep_logs(&self, namespace: &str) -> Result<KeptLogs> {
        let directory = self.layout.path(&format!("logs-of-{namespace}"));
        KeptLogs::new(self.layout.pod_logs(), namespace.to_owned(), directory)
    }

    /// Where kubelet keeps and mounts the volumes of a pod, as a path for a process outside of the node.
    #[must_use]
    pub fn pod_directory(&self, uid: &str) -> PathBuf {
        let kubelets = self.layout.path("kubelet").join("pods").join(uid);
        // The mounts exist only in the node's mount namespace.
        let root = PathBuf::from(format!("/proc/{}/root", self.sandbox.pid()));
        root.join(kubelets.strip_prefix("/").unwrap_or(&kubelets))
    }

    /// The address at which pods reach the host, and a server that binds to it.
    #[must_use]
    pub fn bridge_address(&self) -> Ipv4Addr {
        self.allocation.bridge_address()
    }

    /// Lets pods reach a server on `port` of 127.0.0.1, at the same port of the bridge's address.
    ///
    /// # Errors
    /// When the rule cannot be made.
    pub fn expose(&self, port: u16) -> Result<()> {
        network::expose(
            self.allocation.number(),
            self.allocation.bridge_address(),
            port,
        )
    }

    /// The name of the node's object.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Fails when a part of the node has ended by itself.
    ///
    /// # Errors
    /// The error names the part, its exit code, and the end of its log.
    pub fn check(&self) -> Result<()> {
        self.sandbox.check()?;
        self.runtime.containerd().check()?;
        self.kubelet.check()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.sandbox.kill();
        for part in [&self.kubelet, self.runtime.containerd()] {
            // The part has ended with the sandbox; this waits until its parent reaps it.
            if !part.wait(Duration::from_secs(10)) {
                part.kill();
            }
        }
        let removed = cleanup::remove_node(self.allocation.number());
        if let Err(error) = removed.and_then(|()| {
            let keep = std::env::var_os("KEEP_CLUSTER").is_some();
            if keep {
                Ok(())
            } else {
                cleanup::remove_tree(&self.layout.directory)
            }
        }) {
            eprintln!("cannot clean up after {}: {error:#}", self.name);
        }
    }
}

/// Ready, and without the taint that a node has until a controller has seen it ready.
fn takes_pods(node: Option<&NodeObject>) -> bool {
    let Some(node) = node else { return false };
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let mut conditions = conditions.map(|condition| serde_json::json!(condition));
    let taints = node
        .spec
        .iter()
        .flat_map(|spec| spec.taints.iter().flatten());
    conditions.any(|is| is["type"] == "Ready" && is["status"] == "True") && taints.count() == 0
}
