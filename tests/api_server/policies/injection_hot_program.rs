//! The container that brings the program for hot rotation to a pod.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Attempt, pod},
        injection::{asks_for, fixture, made, names},
        injection_hot::{BIN, BIN_VOLUME, HELPER, helpers, hot, is_hot, shellless, with},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    the_program_is_brought_by_a_container_under_the_strictest_standard,
    the_container_that_brings_the_program_gets_no_token_of_the_service_account,
    the_program_comes_before_every_container_that_is_served,
];

/// Path at which the API server mounts the token of a pod's service account.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

async fn the_program_is_brought_by_a_container_under_the_strictest_standard(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster();
    let namespace = cluster.restricted_namespace("restricted").await?;
    let attempt = Attempt::new(&test_cluster.admin(), &namespace);
    // The pod has no `securityContext` that the helper container could inherit.
    let container = json!({
        "name": "app", "image": "app",
        "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
            "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" },
        },
    });
    let spec = made(
        &attempt,
        &pod(&shellless(), json!({ "containers": [container] })),
    )
    .await?;
    let mut helper = helpers(&spec)[0].clone();
    for unasked in ["terminationMessagePath", "terminationMessagePolicy"] {
        helper.as_object_mut().map(|helper| helper.remove(unasked));
    }
    let wanted = json!({
        "name": HELPER,
        "image": format!("static-aws-credentials:{}", env!("CARGO_PKG_VERSION")),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/credential-process", "install", BIN],
        "volumeMounts": [
            { "name": BIN_VOLUME, "mountPath": BIN },
            { "name": BIN_VOLUME, "mountPath": TOKEN, "readOnly": true },
        ],
        "resources": {
            "requests": { "cpu": "50m", "memory": "32Mi" },
            "limits": { "cpu": "50m", "memory": "32Mi" },
        },
        "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true, "runAsNonRoot": true,
            "runAsUser": 65532, "runAsGroup": 65532,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
    });
    assert_eq!(helper, wanted);
    Ok(())
}

async fn the_container_that_brings_the_program_gets_no_token_of_the_service_account(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let spec = made(&fixture(&test_cluster).await?, &pod(&hot(), json!({}))).await?;
    let at_token = |container: &Value| -> Vec<String> {
        let all = container["volumeMounts"].as_array().into_iter().flatten();
        let there = all.filter(|mount| mount["mountPath"] == TOKEN);
        there.map(|mount| mount["name"].to_string()).collect()
    };
    let app = at_token(&spec["containers"][0]);
    assert!(
        app.len() == 1 && app[0].contains("kube-api-access-"),
        "the pod itself has one: {spec:#}"
    );
    let of_helper = at_token(helpers(&spec)[0]);
    assert_eq!(of_helper, [format!("\"{BIN_VOLUME}\"")], "{spec:#}");
    Ok(())
}

async fn the_program_comes_before_every_container_that_is_served(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let container = |name: &str| json!({ "name": name, "image": "x" });
    let own = json!({
        "containers": [container("zeta"), container("app")],
        "initContainers": [
            container("last"), container("first"),
            { "name": "sidecar", "image": "x", "restartPolicy": "Always" },
        ],
    });
    let mut manifest = pod(&hot(), own);
    let spec = made(&fixture, &manifest).await?;
    assert_eq!(names(&spec["containers"]), ["zeta", "app"]);
    let order = names(&spec["initContainers"]);
    assert_eq!(order, [HELPER, "last", "first", "sidecar"]);
    for kind in ["containers", "initContainers"] {
        for container in spec[kind].as_array().into_iter().flatten() {
            let served = container["name"] != HELPER;
            assert_eq!(is_hot(container), served, "{container:#}");
        }
    }

    manifest["metadata"]["name"] = json!("some");
    manifest["metadata"]["annotations"] = with(asks_for("app, first"), &[("rotation", "Hot")]);
    let spec = made(&fixture, &manifest).await?;
    let order = names(&spec["initContainers"]);
    let at = |name: &str| order.iter().position(|other| *other == name);
    assert!(at(HELPER) < at("first"), "{order:?}");
    let own: Vec<_> = order.iter().filter(|name| **name != HELPER).collect();
    assert_eq!(own, [&"last", &"first", &"sidecar"]);
    Ok(())
}
