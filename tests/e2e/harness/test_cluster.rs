//! Shared by all tests of a suite: one control plane with the CRD, the operator's rights on it, and the pairs of one
//! user.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use cluster::{
    control_plane::{ControlPlane, Options},
    proxy::{Proxy, Record},
    shipped::{CONSUMER_RULES, CRD, LEASE_RULES, RESTART_RULES, RULES},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// A pair in the format of AWS. STS answers with `ACCOUNT`; the account in the ID is another.
pub const PAIR: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2A3",
    "wSecretOfTheFirstPair+wSecretOfTheFirst1",
);
/// A second pair of the same user.
pub const SECOND: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2B4",
    "wSecretOfTheSecondPair/wSecretOfTheSecnd",
);
/// The account of both pairs.
pub const ACCOUNT: &str = "123456789012";
/// The user of both pairs.
pub const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";

/// The state that all tests share.
pub struct TestCluster {
    cluster: ControlPlane,
    records: Mutex<Vec<Record>>,
    another: OnceCell<Arc<TestCluster>>,
}

impl TestCluster {
    /// A control plane with the CRD installed.
    pub async fn start() -> Result<Self> {
        let test_cluster = Self {
            cluster: ControlPlane::start(Options::default()).await?,
            records: Mutex::default(),
            another: OnceCell::new(),
        };
        test_cluster.define().await?;
        Ok(test_cluster)
    }

    /// Installs the CRD.
    pub async fn define(&self) -> Result<()> {
        self.cluster.define(CRD).await
    }

    /// Another cluster, started once, for tests that would disturb others in this one.
    pub async fn another(&self) -> Result<Arc<Self>> {
        let set = async || Self::start().await.map(Arc::new);
        let another = self.another.get_or_try_init(set).await?;
        Ok(Arc::clone(another))
    }

    /// A proxy for one process of the operator. Its requests are recorded until the end.
    pub async fn proxy(&self) -> Result<Proxy> {
        let cluster = self.cluster();
        let proxy = Proxy::start(cluster.url(), &cluster.ca_pem()).await?;
        self.records().push(proxy.record());
        Ok(proxy)
    }

    /// The requests of all processes of the operator.
    pub fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn cluster(&self) -> &ControlPlane {
        &self.cluster
    }
}

/// The rules that the chart gives the operator, in one list.
pub fn rules() -> Result<Vec<Value>> {
    let mut rules: Vec<Value> = serde_saphyr::from_str(RULES)?;
    let name = "{{ include \"static-aws-credentials.leaseName\" . }}";
    let lease_rules = LEASE_RULES.replace(name, "static-aws-credentials");
    for more in [&lease_rules, CONSUMER_RULES, RESTART_RULES] {
        rules.extend(serde_saphyr::from_str::<Vec<Value>>(more)?);
    }
    Ok(rules)
}

/// Manifests with the chart's rules for a namespace, for the operator's account of the same or another namespace.
pub fn rights(namespace: &str, account: &str) -> Result<String> {
    let rules = rules()?;
    let metadata = json!({ "name": "operator", "namespace": namespace });
    let made = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata });
    let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator" },
        "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": account }],
    });
    let documents = [made, role, binding].map(|document| document.to_string());
    Ok(documents.join("\n---\n"))
}
