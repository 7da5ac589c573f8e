//! The operator's rights without the chart.

use anyhow::Result;
use cluster::shipped::RULES;
use serde_json::{Value, json};

/// The operator's account, with the chart's rights in one namespace.
pub fn rights(namespace: &str) -> Result<Vec<Value>> {
    let rules: Value = serde_saphyr::from_str(RULES)?;
    let metadata = json!({ "name": "operator", "namespace": namespace });
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    let subject = json!({ "kind": "ServiceAccount", "name": "operator", "namespace": namespace });
    let role = json!({ "apiGroup": group, "kind": "Role", "name": "operator" });
    Ok(vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
        json!({ "apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules }),
        json!({
            "apiVersion": version,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        }),
    ])
}
