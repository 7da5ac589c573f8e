//! Privileges of the operator's pod.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::render::{HELMS, NEWEST, objects};

#[test]
fn a20_the_pod_has_no_privilege_and_reaches_dns_the_api_server_and_443_alone() -> Result<()> {
    for helm in HELMS {
        let objects = objects(helm, NEWEST, &[])?;
        let pod = &of_kind(&objects, "Deployment")?["spec"]["template"]["spec"];
        let security = &pod["securityContext"];
        ensure!(security["runAsNonRoot"] == true, "{security}");
        ensure!(
            security["seccompProfile"]["type"] == "RuntimeDefault",
            "{security}"
        );
        let containers = pod["containers"].as_array().context("containers")?;
        ensure!(
            containers.len() == 1 && pod["initContainers"].is_null(),
            "{pod}"
        );
        let allowed = json!({
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "seccompProfile": { "type": "RuntimeDefault" },
        });
        ensure!(
            containers[0]["securityContext"] == allowed,
            "{}",
            containers[0]
        );
        for shared in ["hostNetwork", "hostPID", "hostIPC"] {
            ensure!(pod[shared].is_null(), "{shared} is set");
        }
        let mounts = pod["volumes"].as_array().map_or(0, Vec::len);
        ensure!(
            mounts == 0 || pod["volumes"].to_string().contains("serviceAccountToken"),
            "{pod}"
        );
        let policy = &of_kind(&objects, "NetworkPolicy")?["spec"];
        let egress = policy["egress"].as_array().context("egress")?;
        let ports = egress.iter().filter_map(|rule| rule["ports"].as_array());
        let ports: Vec<&Value> = ports.flatten().map(|port| &port["port"]).collect();
        ensure!(
            egress.iter().all(|rule| rule["ports"].is_array()),
            "a rule for every port: {policy}"
        );
        let known = [53, 5353, 443, 6443, 6444, 8443, 16443].map(|port| json!(port));
        ensure!(
            !ports.is_empty() && ports.iter().all(|port| known.contains(port)),
            "{ports:?}"
        );
        ensure!(
            policy["policyTypes"].to_string().contains("Egress"),
            "{policy}"
        );
    }
    Ok(())
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Result<&'a Value> {
    let found = objects.iter().find(|object| object["kind"] == kind);
    found.with_context(|| format!("no {kind}"))
}
