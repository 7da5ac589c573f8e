//! The cluster of the demo: one of its own, or one of the user's.

use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use cluster::{control_plane::ControlPlane, node::Node};
use k8s_openapi::{
    NamespaceResourceScope, api::core::v1::ServiceAccount,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::wait::{await_condition, conditions::is_crd_established},
};
use tokio::time::timeout;

use crate::{
    helm,
    manifests::{self, CRD_NAME, OPERATOR, Scope},
    screen::Screen,
    users::Users,
};

/// The deadline for changes that a cluster makes by itself.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A cluster, with a namespace for the demo's objects.
pub(crate) struct DemoCluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    kind: Kind,
}

/// The owner of the cluster.
enum Kind {
    Own(Box<Own>),
    Users(Box<Users>),
}

/// A cluster that ends with this value.
struct Own {
    // Dropped first: a node needs its control plane.
    node: Option<Node>,
    control_plane: ControlPlane,
}

impl DemoCluster {
    /// A cluster of the demo's own, which ends with this value.
    pub(crate) fn own(control_plane: ControlPlane, node: Option<Node>) -> Self {
        Self {
            client: control_plane.client(),
            namespace: "demo".to_owned(),
            kind: Kind::Own(Box::new(Own {
                node,
                control_plane,
            })),
        }
    }

    /// The cluster of a context. Nothing is changed there yet.
    pub(crate) async fn of_context(context: &str) -> Result<Self> {
        let (users, client) = Users::open(context).await?;
        Ok(Self {
            client,
            namespace: format!("aws-credentials-demo-{}", unique()),
            kind: Kind::Users(Box::new(users)),
        })
    }

    /// The node of the demo's own cluster, if it has one.
    pub(crate) fn node(&self) -> Option<&Node> {
        match &self.kind {
            Kind::Own(own) => own.node.as_ref(),
            Kind::Users(_) => None,
        }
    }

    /// A directory that only this user can read, removed with this value.
    pub(crate) fn directory(&self) -> &Path {
        match &self.kind {
            Kind::Own(own) => own.control_plane.directory(),
            Kind::Users(users) => users.allocation.directory(),
        }
    }

    /// The kubeconfig of the demo's own cluster.
    pub(crate) fn kubeconfig(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Own(own) => Some(own.control_plane.kubeconfig()),
            Kind::Users(_) => None,
        }
    }

    /// The resources of the product's kind.
    pub(crate) fn resources(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource_type())
    }

    /// Secrets, pods and the like.
    pub(crate) fn objects<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Runs `kubectl` and returns its output.
    pub(crate) async fn kubectl(&self, args: &[&str]) -> Result<String> {
        match &self.kind {
            Kind::Own(own) => own.control_plane.kubectl(args).await,
            Kind::Users(users) => users.kubectl(args, "").await,
        }
    }

    /// Runs `kubectl` in the demo's namespace and shows the command.
    pub(crate) async fn shown(&self, screen: Screen, args: &[&str]) -> Result<String> {
        let mut all = vec!["-n", self.namespace.as_str()];
        all.extend(args);
        screen.command(&format!("kubectl {}", all.join(" ")));
        self.kubectl(&all).await
    }

    /// Applies manifests by server-side apply.
    pub(crate) async fn apply(&self, yaml: &str) -> Result<String> {
        let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        match &self.kind {
            Kind::Own(own) => own.control_plane.apply(yaml).await,
            Kind::Users(users) => users.kubectl(&args, yaml).await,
        }
    }

    /// Applies objects that the chart has too. In the demo's own cluster, they get the field manager of Helm.
    async fn apply_as_helm(&self, manifest: &str) -> Result<String> {
        let Kind::Own(own) = &self.kind else {
            return self.apply(manifest).await;
        };
        let file = own.control_plane.directory().join("installed.json");
        std::fs::write(&file, manifest)?;
        let file = file.display().to_string();
        let manager = format!("--field-manager={}", helm::FIELD_MANAGER);
        let args = ["apply", "--server-side", &manager, "-f", &file];
        own.control_plane.kubectl(&args).await
    }

    /// Installs the CRD if it is missing; false if it was there.
    pub(crate) async fn install_crd(&self) -> Result<bool> {
        let definitions = Api::<CustomResourceDefinition>::all(self.client.clone());
        if definitions.get_opt(CRD_NAME).await?.is_some() {
            return Ok(false);
        }
        if let Kind::Users(users) = &self.kind {
            users.has_crd_of_ours.store(true, Ordering::Relaxed);
        }
        self.apply_as_helm(&manifests::definition(self.scope())?)
            .await?;
        // Not `kubectl wait`: it fails on a CRD that has no conditions yet.
        let established = await_condition(definitions, CRD_NAME, is_crd_established());
        timeout(PATIENCE, established).await??;
        Ok(true)
    }

    /// Creates the namespace, and the operator's service account and permissions.
    pub(crate) async fn settle(&self) -> Result<()> {
        let scope = self.scope();
        if let Kind::Users(users) = &self.kind {
            users.has_namespace.store(true, Ordering::Relaxed);
        }
        let setting = manifests::setting(&self.namespace, self.operator_namespace(), scope)?;
        self.apply_as_helm(&setting).await?;
        // A pod is rejected until its namespace has the default service account.
        let made = |account: Option<&ServiceAccount>| account.is_some();
        let made = await_condition(self.objects(), "default", made);
        timeout(PATIENCE, made)
            .await
            .context("the namespace gets no default service account")??;
        Ok(())
    }

    /// The scope of the operator: all of the demo's own cluster, one namespace of the user's.
    pub(crate) fn scope(&self) -> Scope {
        match &self.kind {
            Kind::Own(_) => Scope::Cluster,
            Kind::Users(_) => Scope::Namespace,
        }
    }

    /// The namespace of the operator's service account.
    pub(crate) fn operator_namespace(&self) -> &str {
        match self.scope() {
            Scope::Cluster => OPERATOR,
            Scope::Namespace => &self.namespace,
        }
    }

    /// A kubeconfig with the permissions of the operator's service account only.
    pub(crate) async fn operator_kubeconfig(&self) -> Result<PathBuf> {
        let namespace = self.operator_namespace();
        match &self.kind {
            Kind::Own(own) => {
                let control_plane = &own.control_plane;
                let asked = control_plane.service_account_kubeconfig(namespace, OPERATOR, None);
                asked.await
            }
            Kind::Users(users) => users.operator_kubeconfig(self.objects()).await,
        }
    }

    /// Removes everything that was created in a user's cluster. The demo's own cluster is dropped.
    pub(crate) async fn leave(&self, screen: Screen) -> Result<()> {
        match &self.kind {
            Kind::Own(_) => Ok(()),
            Kind::Users(users) => users.leave(&self.client, &self.namespace, screen).await,
        }
    }
}

/// A suffix that no other namespace has, so that no other one is taken for the demo's.
fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_micros() & 0xffff_ffff;
    format!("{now:08x}")
}

/// The product's kind.
pub(crate) fn resource_type() -> ApiResource {
    let kind = GroupVersionKind::gvk("awscredentials.dev", "v1alpha1", "StaticAwsCredentials");
    ApiResource::from_gvk_with_plural(&kind, "staticawscredentials")
}

#[cfg(test)]
mod tests;
