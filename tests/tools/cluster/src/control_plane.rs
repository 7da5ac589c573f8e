//! A separate control plane: etcd, API server, controller manager and, if wanted, scheduler, all on 127.0.0.1 and
//! stopped when the value is dropped.

mod access;
mod flags;
mod parts;
mod store;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::await_condition,
};

use crate::{
    binaries::Release, certs::Authority, component::Component, host_allocation::HostAllocation,
};
use flags::Plan;
pub(crate) use flags::{SERVICE_ADDRESS, flag};
use parts::Parts;
pub use store::{Restored, Store};

/// Generous, because the machine may be busy with builds.
pub(crate) const DEADLINE: Duration = Duration::from_mins(3);

/// The options of a control plane.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Start a scheduler; a node needs one.
    pub scheduler: bool,
    /// Let the API server write an audit log: the user, verb and object of each request, without content.
    pub audit: bool,
    /// The version of API server and controller manager; `None` is [`Release::selected`].
    pub release: Option<Release>,
    /// More flags for the API server.
    pub api_server_flags: Vec<String>,
}

impl Options {
    /// The options for a [`crate::node::Node`].
    #[must_use]
    pub fn with_node() -> Self {
        Self {
            scheduler: true,
            ..Self::default()
        }
    }
}

/// A running control plane.
pub struct ControlPlane {
    // Dropped from top to bottom: the parts end before the slot's directory is removed.
    parts: Parts,
    client: Client,
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    plan: Plan,
    authority: Authority,
    allocation: Arc<HostAllocation>,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready. The first start on a machine builds the programs.
    ///
    /// # Errors
    /// When a program is missing and cannot be built, or does not become ready.
    pub async fn start(options: Options) -> Result<Self> {
        let (release, scheduler) = (options.release, options.scheduler);
        let programs = tokio::task::spawn_blocking(move || {
            parts::programs(release.map_or_else(Release::selected, Ok)?, scheduler)
        });
        let programs = programs.await??;
        let allocation = Arc::new(tokio::task::spawn_blocking(HostAllocation::take).await??);
        let directory = allocation.directory().to_owned();
        let authority = Authority::new(&directory.join("certificates"))?;
        let plan = Plan::new(&allocation, &authority, &options)?;
        let kubeconfig =
            plan.identity_kubeconfig(&authority, "admin", "admin", "system:masters")?;
        let parts = Parts::new(&programs, &plan, &authority)?;
        let client = admin(&kubeconfig).await?;
        let control_plane = Self {
            parts,
            client,
            kubeconfig,
            kubectl: programs.kubectl,
            plan,
            authority,
            allocation,
        };
        // The API server waits only 20 seconds for etcd, too short on a busy machine.
        control_plane.parts.etcd.start()?;
        control_plane.etcd_answers().await?;
        control_plane.parts.api_server.start()?;
        // The controller manager gives up after 10 seconds, too short while the API server is busy starting.
        control_plane.ready().await?;
        control_plane.parts.start_controllers()?;
        control_plane.ready().await?;
        control_plane.accounts_are_made().await?;
        Ok(control_plane)
    }

    /// Waits until the API server reports that it is ready, as after a restart of it or of etcd.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub async fn ready(&self) -> Result<()> {
        let end = Instant::now() + DEADLINE;
        loop {
            self.parts.api_server.check()?;
            self.parts.etcd.check()?;
            let request = hyper::Request::get("/readyz").body(Vec::new())?;
            let answer = self.client.request_text(request);
            // Polls, since the server reports nothing before it listens.
            let error = match tokio::time::timeout(Duration::from_secs(5), answer).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => format!("{error}"),
                Err(_) => "no answer".to_owned(),
            };
            ensure!(Instant::now() < end, "the API server is not ready: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the controller manager's objects in `default`, the one namespace that every cluster has.
    async fn accounts_are_made(&self) -> Result<()> {
        let accounts = Api::<ServiceAccount>::namespaced(self.client.clone(), "default");
        let configs = Api::<ConfigMap>::namespaced(self.client.clone(), "default");
        let made = async {
            await_condition(accounts, "default", exists).await?;
            await_condition(configs, "kube-root-ca.crt", exists).await
        };
        if let Ok(made) = tokio::time::timeout(DEADLINE, made).await {
            return made
                .map(drop)
                .context("cannot watch the default service account");
        }
        self.parts.controller_manager.check()?;
        anyhow::bail!("the controller manager made no default service account")
    }

    /// A kubeconfig of a member of `system:masters`, who may do everything.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// `kubectl` of [`Release::Current`], also where the API server has another release.
    #[must_use]
    pub fn kubectl_program(&self) -> &Path {
        &self.kubectl
    }

    /// A client with the permissions of [`Self::kubeconfig`], without retries.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Where the API server listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.plan.url
    }

    /// The certificate of the authority that signed the API server's certificate.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The authority itself, for servers in the cluster that need a certificate.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The path of the audit log, if [`Options::audit`] was set: one JSON object per line.
    #[must_use]
    pub fn audit_log(&self) -> Option<&Path> {
        self.plan.audit.as_ref().map(|audit| audit.log.as_path())
    }

    /// The directory of all files that this cluster writes, logs included. It is removed with the cluster.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.allocation.directory()
    }

    /// etcd, which tests of faults stop and start.
    #[must_use]
    pub fn etcd(&self) -> &Component {
        &self.parts.etcd
    }

    /// The API server, which tests of faults stop and start. It keeps its port.
    #[must_use]
    pub fn api_server(&self) -> &Component {
        &self.parts.api_server
    }

    /// The controller manager.
    #[must_use]
    pub fn controller_manager(&self) -> &Component {
        &self.parts.controller_manager
    }

    pub(crate) fn allocation(&self) -> &Arc<HostAllocation> {
        &self.allocation
    }

    /// A kubeconfig for one more part of the cluster.
    pub(crate) fn identity_kubeconfig(
        &self,
        file: &str,
        user: &str,
        group: &str,
    ) -> Result<PathBuf> {
        let authority = &self.authority;
        self.plan.identity_kubeconfig(authority, file, user, group)
    }

    pub(crate) fn has_scheduler(&self) -> bool {
        self.parts.scheduler.is_some()
    }

    /// The port of the API server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.plan.port
    }
}

async fn admin(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    // The client's retries last minutes, and would hide the server's answers from a test.
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

fn exists<K>(object: Option<&K>) -> bool {
    object.is_some()
}
