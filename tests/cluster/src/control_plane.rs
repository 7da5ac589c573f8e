//! A control plane of its own: etcd, API server, controller manager and, if wanted, scheduler, all on
//! 127.0.0.1 and gone when the value is dropped.

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

use crate::{binaries::Release, certs::Authority, component::Component, slot::Slot};
use flags::Plan;
pub(crate) use flags::{SERVICE_ADDRESS, flag};
use parts::Parts;
pub use store::{Restored, Store};

/// Generous, because the machine may be busy with builds.
pub(crate) const DEADLINE: Duration = Duration::from_mins(3);

/// What a control plane is to have beyond the necessary.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Start a scheduler; a node needs one.
    pub scheduler: bool,
    /// Let the API server write an audit log: who did what to which object, without its content.
    pub audit: bool,
    /// The version of API server and controller manager.
    pub release: Release,
    /// More flags for the API server.
    pub api_server_flags: Vec<String>,
}

impl Options {
    /// What a [`crate::node::Node`] needs.
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
    // Dropped from top to bottom: the parts end before the slot's directory goes.
    parts: Parts,
    client: Client,
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    plan: Plan,
    authority: Authority,
    slot: Arc<Slot>,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready for use. The first start on a machine builds it.
    ///
    /// # Errors
    /// When a program is missing and cannot be built, or does not become ready.
    pub async fn start(options: Options) -> Result<Self> {
        let (release, scheduler) = (options.release, options.scheduler);
        let programs = tokio::task::spawn_blocking(move || parts::programs(release, scheduler));
        let programs = programs.await??;
        let slot = Arc::new(tokio::task::spawn_blocking(Slot::take).await??);
        let directory = slot.directory().to_owned();
        let authority = Authority::new(&directory.join("certificates"))?;
        let plan = Plan::new(&slot, &authority, &options)?;
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
            slot,
        };
        // The API server waits 20 seconds for etcd, which a busy machine exceeds.
        control_plane.parts.etcd.start()?;
        control_plane.etcd_answers().await?;
        control_plane.parts.api_server.start()?;
        // The controller manager gives up after 10 seconds, which a busy API server needs for itself.
        control_plane.ready().await?;
        control_plane.parts.start_controllers()?;
        control_plane.ready().await?;
        control_plane.accounts_are_made().await?;
        Ok(control_plane)
    }

    /// Waits until the API server says that it is ready, as after a restart of it or of etcd.
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
            // There is nothing to listen to before it listens itself, so this has to ask again and again.
            let error = match tokio::time::timeout(Duration::from_secs(5), answer).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => format!("{error}"),
                Err(_) => "no answer".to_owned(),
            };
            ensure!(Instant::now() < end, "the API server is not ready: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the work of the controller manager in the one namespace that every cluster has.
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

    /// A kubeconfig of a member of `system:masters`, whom no rule binds.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// `kubectl`, of the version of the API server.
    #[must_use]
    pub fn kubectl_program(&self) -> &Path {
        &self.kubectl
    }

    /// A client with the rights of [`Self::kubeconfig`], which never repeats a request on its own.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Where the API server listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.plan.url
    }

    /// The certificate of the authority that vouches for the API server.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// The authority itself, for servers in the cluster that want a certificate of it.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where the audit log is written, if [`Options::audit`] was set: one JSON object a line.
    #[must_use]
    pub fn audit_log(&self) -> Option<&Path> {
        self.plan.audit.as_ref().map(|audit| audit.log.as_path())
    }

    /// The directory with everything that this cluster writes, logs included. It goes when the cluster goes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.slot.directory()
    }

    /// etcd, to be stopped and started in tests of faults.
    #[must_use]
    pub fn etcd(&self) -> &Component {
        &self.parts.etcd
    }

    /// The API server, to be stopped and started in tests of faults. It comes back to the same port.
    #[must_use]
    pub fn api_server(&self) -> &Component {
        &self.parts.api_server
    }

    /// The controller manager.
    #[must_use]
    pub fn controller_manager(&self) -> &Component {
        &self.parts.controller_manager
    }

    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
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
    // Its retries go on for minutes, and would hide from a test what the server answered.
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

fn exists<K>(object: Option<&K>) -> bool {
    object.is_some()
}
