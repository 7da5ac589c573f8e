//! State shared by all tests: a control plane with the definition and the chart's policies, and accounts.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
pub use cluster::shipped::CRD;
use cluster::{
    chart,
    control_plane::{ControlPlane, Options},
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;

use crate::{
    harness::version::{self, Feature},
    policies::{
        attempt::{self, Attempt, Things},
        restarts,
    },
};

/// Time limit for asynchronous actions of the cluster.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// The namespace of the release.
pub const RELEASE_NAMESPACE: &str = "aws";
/// The name of the release, of its account and of its lease.
pub const RELEASE: &str = "static-aws-credentials";

/// A pod of the release, to which the operator's tokens are bound.
pub const POD: &str = "static-aws-credentials-0";

/// State shared by all tests.
pub struct TestCluster {
    cluster: ControlPlane,
    operator: Client,
}

impl TestCluster {
    /// A control plane with the chart, once the policies are enforced.
    pub async fn start() -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        cluster.define(CRD).await?;
        cluster
            .kubectl(&["create", "namespace", RELEASE_NAMESPACE])
            .await?;
        let rendered = template(&[
            version::injection(),
            "rotation.restart.enabled=true",
            "targets.copyLabels={team,example.com/cost-center}",
        ])
        .await?;
        cluster.apply(&rendered).await?;
        cluster.apply(&far_too_wide().to_string()).await?;
        let operator = client_of_pod(&cluster, POD).await?;
        let test_cluster = Self { cluster, operator };
        test_cluster.until_enforced().await?;
        Ok(test_cluster)
    }

    pub fn cluster(&self) -> &ControlPlane {
        &self.cluster
    }

    /// A client of the operator's account.
    pub fn operator(&self) -> Client {
        self.operator.clone()
    }

    /// A client of an administrator, restricted only by the policies.
    pub fn admin(&self) -> Client {
        self.cluster.client()
    }

    /// Creates an account in a namespace, with a Role of these rules.
    pub async fn account(
        &self,
        namespace: &str,
        name: &str,
        rules: serde_json::Value,
    ) -> Result<Client> {
        let cluster = self.cluster();
        let metadata = json!({ "name": name, "namespace": namespace });
        let group = "rbac.authorization.k8s.io";
        let items = [
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
            json!({ "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata, "rules": rules }),
            json!({
                "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
                "roleRef": { "apiGroup": group, "kind": "Role", "name": name },
                "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": namespace }],
            }),
        ];
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        cluster.apply(&list.to_string()).await?;
        client_of(cluster, namespace, name).await
    }

    /// Waits until each policy rejects a bad request: a binding takes effect a moment after its creation.
    async fn until_enforced(&self) -> Result<()> {
        let namespace = self.cluster().namespace("probe").await?;
        let stranger = self.account(&namespace, "stranger", json!([
            { "apiGroups": ["awscredentials.dev"], "resources": ["staticawscredentials"], "verbs": ["*"] },
        ])).await?;
        let resource = attempt::resource("orders", json!({}));
        let admin = Attempt::new(&self.admin(), &namespace);
        admin.create(Things::Resources, &resource).await?;
        let web = restarts::workload(Things::Deployments, "web");
        admin.create(Things::Deployments, &web).await?;
        let paused = json!({ "spec": { "paused": true } });
        let operator = Attempt::dry(&self.operator(), &namespace);
        let stranger = Attempt::dry(&stranger, &namespace);
        let admin = Attempt::dry(&self.admin(), &namespace);
        let plain = json!({ "metadata": { "name": "plain" } });
        let status = json!({ "status": { "observedGeneration": 1 } });
        let pod = attempt::pod(
            &json!({ "awscredentials.dev/inject": "no name" }),
            json!({}),
        );
        let has_injection = Feature::Injection.is_served();
        let began = Instant::now();
        loop {
            let answers = [
                ("fence", operator.create(Things::Secrets, &plain).await),
                ("only", operator.create(Things::ConfigMaps, &plain).await),
                (
                    "requester",
                    stranger
                        .create(Things::Resources, &attempt::resource("other", json!({})))
                        .await,
                ),
                (
                    "status",
                    admin
                        .merge_status(Things::Resources, "orders", &status)
                        .await,
                ),
                (
                    "restarts",
                    operator.merge(Things::Deployments, "web", &paused).await,
                ),
                ("injected", admin.create(Things::Pods, &pod).await),
            ];
            let late: Vec<_> = answers
                .iter()
                .filter(|(policy, _)| *policy != "injected" || has_injection)
                .filter(|(policy, answer)| !attempt::is_refused_by(answer, policy))
                .collect();
            if late.is_empty() {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "not enforced: {late:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A client with the token of an account, without automatic retries.
pub async fn client_of(cluster: &ControlPlane, namespace: &str, account: &str) -> Result<Client> {
    let config = config_of(cluster, namespace, account).await?;
    Ok(Client::try_from(config)?)
}

async fn config_of(cluster: &ControlPlane, namespace: &str, account: &str) -> Result<Config> {
    let path = cluster
        .service_account_kubeconfig(namespace, account, None)
        .await?;
    config_at(path).await
}

/// A client with a token of the operator's account that is bound to the pod of this name.
pub async fn client_of_pod(cluster: &ControlPlane, pod: &str) -> Result<Client> {
    Ok(Client::try_from(operators(cluster, pod).await?)?)
}

async fn operators(cluster: &ControlPlane, pod: &str) -> Result<Config> {
    let path = cluster
        .pod_kubeconfig(RELEASE_NAMESPACE, RELEASE, pod)
        .await?;
    config_at(path).await
}

async fn config_at(path: PathBuf) -> Result<Config> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    config.default_retry = false;
    Ok(config)
}

/// A client of the operator's account that impersonates the same account.
pub async fn as_itself(cluster: &ControlPlane) -> Result<Client> {
    let mut config = operators(cluster, POD).await?;
    let name = format!("system:serviceaccount:{RELEASE_NAMESPACE}:{RELEASE}");
    config.auth_info.impersonate = Some(name);
    Ok(Client::try_from(config)?)
}

/// The chart's policies, rendered by `helm template`.
pub async fn template(values: &[&str]) -> Result<String> {
    let mut templates = vec!["policies/*", "serviceaccount"];
    templates.extend(Feature::Injection.is_served().then_some("injection/*"));
    chart::rendered(RELEASE, RELEASE_NAMESPACE, values, &templates).await
}

/// All rights to the operator's account.
fn far_too_wide() -> serde_json::Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "far-too-wide" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": RELEASE, "namespace": RELEASE_NAMESPACE }],
    })
}
