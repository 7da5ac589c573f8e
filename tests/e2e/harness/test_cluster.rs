//! Shared by all tests of a suite: one control plane with the CRD, the operator's rights on it, and the pairs of one
//! user.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use cluster::{
    control_plane::{ControlPlane, Options},
    proxy::{Proxy, Record},
    shipped::{CLASS_RULES, CONSUMER_RULES, CRD, LEASE_RULES, RESTART_RULES, RULES},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::harness::classes::until_classes_are_stored;

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
        self.cluster.define(CRD).await?;
        until_classes_are_stored(&self.cluster.client()).await
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

/// The rules that the chart gives the operator in the cluster with each list of namespaces, in one list.
pub fn class_rules() -> Result<Vec<Value>> {
    Ok(serde_saphyr::from_str(CLASS_RULES)?)
}

/// Manifests with the chart's rules for a namespace, for the operator's account of the same or another namespace.
pub fn rights(namespace: &str, account: &str) -> Result<String> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let version = format!("{GROUP}/v1");
    let metadata = json!({ "name": "operator", "namespace": namespace });
    // A ClusterRole has no namespace, and each environment has an operator.
    let global = json!({ "name": format!("operator-{account}") });
    let made = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata });
    let roles = [
        ("", metadata, rules()?),
        ("Cluster", global, class_rules()?),
    ];
    let mut documents = vec![made.to_string()];
    for (prefix, metadata, rules) in roles {
        let kind = format!("{prefix}Role");
        let role =
            json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "rules": rules });
        let binding = json!({
            "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": metadata,
            "roleRef": { "apiGroup": GROUP, "kind": kind, "name": metadata["name"] },
            "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": account }],
        });
        documents.extend([role.to_string(), binding.to_string()]);
    }
    Ok(documents.join("\n---\n"))
}
