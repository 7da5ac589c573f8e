//! A cluster of the user's: everything that is created there is removed again.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    binaries::{self, Binary},
    host_allocation::HostAllocation,
    kubectl,
};
use k8s_openapi::{
    api::{
        authentication::v1::{TokenRequest, TokenRequestSpec},
        core::v1::{Namespace, ServiceAccount},
        rbac::v1::{ClusterRole, ClusterRoleBinding},
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, DynamicObject, ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::{await_condition, conditions::is_deleted},
};
use serde_json::json;
use tokio::{process::Command, time::timeout};

use crate::{
    demo_cluster::{PATIENCE, resource_type},
    manifests::{CRD_NAME, OPERATOR},
    screen::Screen,
};

/// The cluster of a context.
pub(crate) struct Users {
    context: String,
    kubeconfig: Kubeconfig,
    kubectl: PathBuf,
    // For its directory, which the next start empties if this process is killed.
    pub(crate) allocation: HostAllocation,
    /// Set before the request, so that an interruption between the two forgets nothing.
    pub(crate) has_namespace: AtomicBool,
    pub(crate) has_crd_of_ours: AtomicBool,
}

impl Users {
    /// Opens the cluster of a context. Nothing is changed there yet.
    pub(crate) async fn open(context: &str) -> Result<(Self, Client)> {
        let kubeconfig = Kubeconfig::read().context("cannot read your kubeconfig")?;
        let known = kubeconfig.contexts.iter();
        let known: Vec<&str> = known.map(|known| known.name.as_str()).collect();
        ensure!(
            known.contains(&context),
            "your kubeconfig has no context {context}, only: {}",
            known.join(", ")
        );
        let options = KubeConfigOptions {
            context: Some(context.to_owned()),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await?;
        config.default_retry = false;
        let client = Client::try_from(config)?;
        let version = client.apiserver_version().await;
        version.with_context(|| format!("the cluster of context {context} does not answer"))?;
        refuse_another_operator(&client).await?;
        let kubectl = tokio::task::spawn_blocking(kubectl).await??;
        let allocation = tokio::task::spawn_blocking(HostAllocation::take).await??;
        let users = Self {
            context: context.to_owned(),
            kubeconfig,
            kubectl,
            allocation,
            has_namespace: AtomicBool::new(false),
            has_crd_of_ours: AtomicBool::new(false),
        };
        Ok((users, client))
    }

    pub(crate) async fn kubectl(&self, args: &[&str], input: &str) -> Result<String> {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.args(["--context", &self.context]);
        kubectl::run(kubectl, args, input).await
    }

    /// A kubeconfig for the user's cluster with the permissions of the operator's service account only.
    pub(crate) async fn operator_kubeconfig(
        &self,
        accounts: Api<ServiceAccount>,
    ) -> Result<PathBuf> {
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(24 * 60 * 60),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let granted = accounts
            .create_token_request(OPERATOR, &PostParams::default(), &request)
            .await
            .context("no token for the operator's account")?;
        let token = granted
            .status
            .context("the token request has no status")?
            .token;
        let mut contexts = self.kubeconfig.contexts.iter();
        let named = contexts.find(|named| named.name == self.context);
        let context = named.and_then(|named| named.context.as_ref());
        let name = &context.context("the context is empty")?.cluster;
        let mut clusters = self.kubeconfig.clusters.iter();
        let cluster = clusters.find(|cluster| cluster.name == *name);
        let cluster = cluster.with_context(|| format!("your kubeconfig has no cluster {name}"))?;
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "users": [{ "name": "operator", "user": { "token": token } }],
            "contexts": [{ "name": "operator", "context": { "cluster": name, "user": "operator" } }],
            "current-context": "operator",
        });
        let path = self.allocation.directory().join("operator.kubeconfig");
        std::fs::write(&path, kubeconfig.to_string())?;
        Ok(path)
    }

    /// Removes what was created, and reports it.
    pub(crate) async fn leave(
        &self,
        client: &Client,
        namespace: &str,
        screen: Screen,
    ) -> Result<()> {
        if self.has_namespace.load(Ordering::Relaxed) {
            screen.doing("removing the namespace (usually 6 s)");
            let namespaces = Api::<Namespace>::all(client.clone());
            if let Some(found) = namespaces.get_opt(namespace).await? {
                let uid = found.metadata.uid.unwrap_or_default();
                let params = DeleteParams::default();
                namespaces.delete(namespace, &params).await?;
                let gone = await_condition(namespaces, namespace, is_deleted(&uid));
                timeout(PATIENCE, gone)
                    .await
                    .with_context(|| format!("namespace {namespace} does not end"))??;
            }
            screen.held(&format!("namespace {namespace} is removed"));
        }
        if self.has_crd_of_ours.load(Ordering::Relaxed) {
            remove_crd(client, screen).await?;
        }
        Ok(())
    }
}

/// An operator that serves all namespaces would work on the demo's resource too, with another AWS.
async fn refuse_another_operator(client: &Client) -> Result<()> {
    let params = ListParams::default();
    let roles = Api::<ClusterRole>::all(client.clone());
    let bindings = Api::<ClusterRoleBinding>::all(client.clone());
    let (Ok(roles), Ok(bindings)) = (roles.list(&params).await, bindings.list(&params).await)
    else {
        // Without this permission, errors of the API server will report what else is forbidden.
        return Ok(());
    };
    let is_operators = |role: &&ClusterRole| {
        role.rules.iter().flatten().any(|rule| {
            let mut resources = rule.resources.iter().flatten();
            resources.any(|name| name == "staticawscredentials/status")
                && rule.verbs.iter().any(|verb| verb == "patch")
        })
    };
    for role in roles.iter().filter(is_operators) {
        let name = role.metadata.name.as_deref().unwrap_or_default();
        let mut bound = bindings
            .iter()
            .filter(|binding| binding.role_ref.name == name);
        if let Some(binding) = bound.next() {
            let account = binding.subjects.iter().flatten().next();
            let account = account.map(|account| account.name.as_str());
            bail!(
                "an operator serves this cluster already, as {} by ClusterRole {name}: it would work on \
                 the demo's resource too. Use another cluster, or none: cargo demo",
                account.unwrap_or("somebody")
            );
        }
    }
    Ok(())
}

/// Deleting a CRD deletes all its resources, so it stays if others have begun to use it.
async fn remove_crd(client: &Client, screen: Screen) -> Result<()> {
    let resources = Api::<DynamicObject>::all_with(client.clone(), &resource_type());
    let in_use = resources.list(&ListParams::default()).await;
    if in_use.is_ok_and(|list| !list.items.is_empty()) {
        screen.note("the CRD stays, since somebody else uses it by now");
        return Ok(());
    }
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    if definitions.get_opt(CRD_NAME).await?.is_some() {
        let params = DeleteParams::default();
        definitions.delete(CRD_NAME, &params).await?;
    }
    screen.held("the CRD, which the demo had installed, is removed");
    Ok(())
}

/// The user's own `kubectl`, else the built one. Blocks.
fn kubectl() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|directory| directory.join("kubectl"));
    match places.find(|path| path.is_file()) {
        Some(found) => Ok(found),
        None => { binaries::find(&[Binary::Kubectl])?.pop() }.context("no kubectl"),
    }
}
