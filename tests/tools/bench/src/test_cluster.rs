//! The environment of a run: a cluster, STS, and the operator's account with its rights.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use cluster::{
    control_plane::{ControlPlane, Options},
    shipped::{CLASS_RULES, CRD, RULES},
    sts::{Answer, Identity, Sts},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::{await_condition, conditions::is_crd_established},
};
use serde_json::{Value, json};

use crate::objects::{ACCOUNT, ARN};

const PATIENCE: Duration = Duration::from_mins(2);

/// A cluster with the CRD, and an STS that accepts every pair.
pub struct TestCluster {
    pub cluster: ControlPlane,
    pub sts: Sts,
    pub client: Client,
    home: String,
}

impl TestCluster {
    pub async fn start(sts_delay: Duration) -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        cluster.apply(CRD).await?;
        let client = cluster.client();
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        let name = "staticawscredentials.awscredentials.dev";
        let established = await_condition(definitions, name, is_crd_established());
        tokio::time::timeout(PATIENCE, established).await??;
        let home = cluster.namespace("operator").await?;
        cluster.apply(&rights(&home)?).await?;
        let sts = Sts::start().await?;
        sts.delay(sts_delay);
        let test_cluster = Self {
            cluster,
            sts,
            client,
            home,
        };
        test_cluster.accept_all();
        Ok(test_cluster)
    }

    /// STS accepts every pair from now on.
    pub fn accept_all(&self) {
        self.sts.answer_by_default(Answer::Accept(Identity {
            account: ACCOUNT.to_owned(),
            arn: ARN.to_owned(),
            user_id: "AIDAQUAIL".to_owned(),
        }));
    }

    /// A client with the operator's own rights.
    pub async fn operator(&self) -> Result<Client> {
        client(&self.kubeconfig(None).await?).await
    }

    /// A kubeconfig with the operator's own rights, through a proxy if there is one.
    pub async fn kubeconfig(&self, proxy: Option<&str>) -> Result<PathBuf> {
        let account = self
            .cluster
            .service_account_kubeconfig(&self.home, "operator", proxy);
        account.await.context("no rights for the operator")
    }
}

/// A client with connections of its own.
pub async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// The chart's rules in cluster scope, for an account in a namespace.
fn rights(namespace: &str) -> Result<String> {
    let mut rules: Vec<Value> = serde_saphyr::from_str(RULES)?;
    rules.extend(serde_saphyr::from_str::<Vec<Value>>(CLASS_RULES)?);
    let group = "rbac.authorization.k8s.io";
    let role = json!({
        "apiVersion": format!("{group}/v1"), "kind": "ClusterRole",
        "metadata": { "name": "operator" }, "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
        "metadata": { "name": "operator" },
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "operator" },
        "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": namespace }],
    });
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": "operator", "namespace": namespace },
    });
    Ok([account, role, binding]
        .map(|object| object.to_string())
        .join("\n---\n"))
}
