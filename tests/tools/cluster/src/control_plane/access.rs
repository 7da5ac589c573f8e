//! Operations of tests on a control plane: namespaces, service accounts, `kubectl`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use k8s_openapi::{
    api::{
        authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
        core::v1::{Namespace, Pod, ServiceAccount},
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
    runtime::{conditions::is_crd_established, wait::await_condition},
};
use tokio::process::Command;

use super::{ControlPlane, DEADLINE, exists};
use crate::{
    component::Component,
    kubeconfig::{self, Proof},
    kubectl,
};

impl ControlPlane {
    /// Applies a CRD and waits until it is served. (`kubectl wait` fails on a CRD that has no conditions yet.)
    ///
    /// # Errors
    /// When the API server rejects or does not serve it.
    pub async fn define(&self, yaml: &str) -> Result<()> {
        let read: Vec<CustomResourceDefinition> = serde_saphyr::from_multiple(yaml)?;
        self.apply(yaml).await?;
        for definition in read {
            let name = definition.metadata.name.context("it has no name")?;
            let definitions = Api::<CustomResourceDefinition>::all(self.client());
            let established = await_condition(definitions, &name, is_crd_established());
            tokio::time::timeout(DEADLINE, established)
                .await
                .with_context(|| format!("{name} is not served"))??;
        }
        Ok(())
    }

    /// Makes a namespace whose name begins with `prefix`, and waits for its default service account.
    ///
    /// # Errors
    /// When the API server rejects it, or no service account is created.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let namespace = Namespace {
            metadata: ObjectMeta {
                generate_name: Some(format!("{prefix}-")),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let namespaces = Api::<Namespace>::all(self.client());
        let made = namespaces
            .create(&PostParams::default(), &namespace)
            .await?;
        let name = made.metadata.name.context("the namespace has no name")?;
        let accounts = Api::<ServiceAccount>::namespaced(self.client(), &name);
        tokio::time::timeout(DEADLINE, await_condition(accounts, "default", exists))
            .await
            .with_context(|| format!("no default service account in {name}"))??;
        Ok(name)
    }

    /// The same under the strictest of the Pod Security Standards.
    ///
    /// # Errors
    /// As those of [`Self::namespace`].
    pub async fn restricted_namespace(&self, prefix: &str) -> Result<String> {
        let namespace = self.namespace(prefix).await?;
        let level = "pod-security.kubernetes.io/enforce=restricted";
        self.kubectl(&["label", "namespace", &namespace, level])
            .await?;
        Ok(namespace)
    }

    /// A token of a service account, valid for a day.
    ///
    /// # Errors
    /// When the API server rejects the request.
    pub async fn token(&self, namespace: &str, account: &str) -> Result<String> {
        self.granted(namespace, account, None).await
    }

    async fn granted(
        &self,
        namespace: &str,
        account: &str,
        bound_object_ref: Option<BoundObjectReference>,
    ) -> Result<String> {
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(24 * 60 * 60),
                bound_object_ref,
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let accounts = Api::<ServiceAccount>::namespaced(self.client(), namespace);
        let granted = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .with_context(|| format!("no token for {namespace}/{account}"))?;
        let status = granted.status.context("the token request has no status")?;
        status.token.context("the token request has no token")
    }

    /// A kubeconfig with the permissions of a service account only. `server_override` is the URL of a server in
    /// front of the API server, such as a proxy on plain HTTP.
    ///
    /// # Errors
    /// When the API server issues no token, or the file cannot be written.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        account: &str,
        server_override: Option<&str>,
    ) -> Result<PathBuf> {
        let token = self.token(namespace, account).await?;
        self.token_kubeconfig(&format!("{namespace}-{account}"), &token, server_override)
    }

    /// The same with a token that is bound to a pod, as kubelet requests it. The pod is created, but never
    /// scheduled.
    ///
    /// # Errors
    /// When the API server rejects the pod or the token request, or the file cannot be written.
    pub async fn pod_kubeconfig(
        &self,
        namespace: &str,
        account: &str,
        pod: &str,
    ) -> Result<PathBuf> {
        let manifest = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": pod, "namespace": namespace },
            "spec": {
                "serviceAccountName": account,
                "automountServiceAccountToken": false,
                "schedulerName": "none",
                "containers": [{ "name": "operator", "image": "operator" }],
            },
        });
        self.apply(&manifest.to_string()).await?;
        let pods = Api::<Pod>::namespaced(self.client(), namespace);
        let bound = BoundObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(pod.to_owned()),
            uid: pods.get(pod).await?.metadata.uid,
        };
        let token = self.granted(namespace, account, Some(bound)).await?;
        self.token_kubeconfig(&format!("{namespace}-{pod}"), &token, None)
    }

    fn token_kubeconfig(
        &self,
        name: &str,
        token: &str,
        server_override: Option<&str>,
    ) -> Result<PathBuf> {
        let server = server_override.unwrap_or(self.url());
        let authority = self.authority().certificate();
        let authority = server.starts_with("https:").then_some(authority.as_path());
        let file = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .suffix(".kubeconfig")
            .tempfile_in(self.directory())?;
        let (_, path) = file.keep()?;
        kubeconfig::write(&path, server, authority, Proof::Token(token))
    }

    /// Runs `kubectl` as administrator and returns its output.
    ///
    /// # Errors
    /// When it fails; the error contains the arguments and the standard error.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.kubectl_with_input(args, "").await
    }

    /// Applies manifests by server-side apply, as administrator.
    ///
    /// # Errors
    /// When `kubectl apply` fails.
    pub async fn apply(&self, yaml: &str) -> Result<String> {
        let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.kubectl_with_input(&args, yaml).await
    }

    async fn kubectl_with_input(&self, args: &[&str], input: &str) -> Result<String> {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            // `kubectl` caches discovery there by the port alone, which another cluster may have had.
            .env("HOME", self.directory())
            .env_remove("KUBECACHEDIR");
        kubectl::run(kubectl, args, input).await
    }

    /// Fails when a part of the control plane has ended by itself.
    ///
    /// # Errors
    /// The error names the part, its exit code, and the end of its log.
    pub fn check(&self) -> Result<()> {
        let parts = &self.parts;
        for part in [&parts.etcd, &parts.api_server, &parts.controller_manager] {
            part.check()?;
        }
        parts.scheduler.as_ref().map_or(Ok(()), Component::check)?;
        ensure!(self.directory().is_dir(), "the cluster's directory is gone");
        Ok(())
    }
}
