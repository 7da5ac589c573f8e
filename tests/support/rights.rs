//! The operator's rights without the chart.

use anyhow::Result;
use cluster::shipped::{CLASS_RULES, RULES};
use serde_json::{Value, json};

/// The operator's account, with the chart's rights in one namespace and to the classes of the cluster.
pub fn rights(namespace: &str) -> Result<Vec<Value>> {
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    let metadata = json!({ "name": "operator", "namespace": namespace });
    let global = json!({ "name": format!("operator-{namespace}") });
    let subject = json!({ "kind": "ServiceAccount", "name": "operator", "namespace": namespace });
    let mut objects =
        vec![json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata })];
    for (kind, metadata, rules) in [
        ("Role", metadata, RULES),
        ("ClusterRole", global, CLASS_RULES),
    ] {
        let rules: Value = serde_saphyr::from_str(rules)?;
        let role = json!({ "apiGroup": group, "kind": kind, "name": metadata["name"] });
        objects.extend([
            json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "rules": rules }),
            json!({
                "apiVersion": version,
                "kind": format!("{kind}Binding"),
                "metadata": metadata,
                "roleRef": role,
                "subjects": [subject],
            }),
        ]);
    }
    Ok(objects)
}
