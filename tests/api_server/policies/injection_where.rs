//! Conditions under which the injection applies to a pod.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Attempt, Things, assert_passes, pod},
        injection::{asks, asks_for, fixture, is_served, is_untouched, made, names, volumes},
        injection_hot::{helpers, hot, is_hot},
        test_cluster::{PATIENCE, RELEASE_NAMESPACE, TestCluster},
    },
    suite::tests,
};

tests![
    a_container_that_comes_later_is_served_and_nothing_comes_twice,
    a_pod_is_served_under_the_strictest_standard,
    pods_of_the_system_and_of_the_operator_are_left_alone,
    an_annotation_that_comes_later_does_nothing,
    the_examples_of_the_page_are_served,
];

const PAGE: &str = include_str!("../../../docs/injection.md");

/// A policy that adds a container to the pods of a namespace, after our policy.
fn mesh(namespace: &str) -> Value {
    let kind = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": { "name": format!("zz-mesh-{namespace}") }, "spec": spec,
        })
    };
    let expression = "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'proxy', image: 'proxy'}]}}";
    let policy = json!({
        "failurePolicy": "Fail", "reinvocationPolicy": "Never",
        "matchConstraints": {
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
            "resourceRules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] }],
        },
        "mutations": [{ "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": expression } }],
    });
    let binding = json!({ "policyName": format!("zz-mesh-{namespace}") });
    let items = [
        kind("MutatingAdmissionPolicy", policy),
        kind("MutatingAdmissionPolicyBinding", binding),
    ];
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

async fn a_container_that_comes_later_is_served_and_nothing_comes_twice(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster();
    let namespace = cluster.namespace("mesh").await?;
    cluster.apply(&mesh(&namespace).to_string()).await?;
    let attempt = Attempt::dry(&test_cluster.admin(), &namespace);
    let began = Instant::now();
    let spec = loop {
        let spec = made(&attempt, &pod(&asks(), json!({}))).await?;
        if names(&spec["containers"]).contains(&"proxy") {
            break spec;
        }
        ensure!(began.elapsed() < PATIENCE, "no proxy: {spec:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for container in spec["containers"].as_array().into_iter().flatten() {
        assert!(is_served(container), "{container:#}");
    }
    assert_eq!(volumes(&spec).len(), 1);
    let spec = made(&attempt, &pod(&hot(), json!({}))).await?;
    assert_eq!(names(&spec["containers"]), ["app", "proxy"]);
    for container in spec["containers"].as_array().into_iter().flatten() {
        assert!(is_hot(container), "{container:#}");
    }
    assert_eq!(helpers(&spec).len(), 1, "{spec:#}");
    let spec = made(&attempt, &pod(&asks_for("app"), json!({}))).await?;
    for container in spec["containers"].as_array().into_iter().flatten() {
        let served = container["name"] == "app";
        assert!(
            if served {
                is_served(container)
            } else {
                is_untouched(container)
            },
            "{container:#}"
        );
    }
    Ok(())
}

async fn a_pod_is_served_under_the_strictest_standard(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster();
    let namespace = cluster.restricted_namespace("restricted").await?;
    let attempt = Attempt::new(&test_cluster.admin(), &namespace);
    let security = json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } });
    let container = json!({
        "name": "app", "image": "app",
        "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
    });
    let strict = json!({ "securityContext": security, "containers": [container] });
    let spec = made(&attempt, &pod(&asks(), strict)).await?;
    assert!(is_served(&spec["containers"][0]), "{spec:#}");
    Ok(())
}

async fn pods_of_the_system_and_of_the_operator_are_left_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    for namespace in ["kube-system", RELEASE_NAMESPACE] {
        let attempt = Attempt::dry(&test_cluster.admin(), namespace);
        let account =
            json!({ "serviceAccountName": "default", "automountServiceAccountToken": false });
        let spec = made(&attempt, &pod(&asks(), account)).await?;
        assert!(is_untouched(&spec["containers"][0]), "{spec:#}");
    }
    Ok(())
}

async fn an_annotation_that_comes_later_does_nothing(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    made(&fixture, &pod(&json!({}), json!({}))).await?;
    let patch = json!({ "metadata": { "annotations": asks() } });
    let answer = fixture.merge(Things::Pods, "pod", &patch).await;
    assert_passes(&answer, "an annotation of a pod that exists");
    let debugged =
        json!({ "spec": { "ephemeralContainers": [{ "name": "debug", "image": "x" }] } });
    let parameters = kube::api::PatchParams::default();
    let patch = kube::api::Patch::Strategic(debugged);
    let pods = fixture.api(Things::Pods);
    let pod = pods
        .patch_subresource("ephemeralcontainers", "pod", &parameters, &patch)
        .await?;
    let spec = &pod.data["spec"];
    assert!(is_untouched(&spec["containers"][0]), "{spec:#}");
    assert!(is_untouched(&spec["ephemeralContainers"][0]), "{spec:#}");
    Ok(())
}

async fn the_examples_of_the_page_are_served(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("page").await?;
    let attempt = Attempt::dry(&test_cluster.admin(), &namespace);
    let blocks = PAGE.split("```yaml\n").skip(1);
    let mut served = Vec::new();
    for block in blocks.filter_map(|rest| rest.split("```").next()) {
        let mut manifest: Value = serde_saphyr::from_str(block)?;
        if manifest["kind"] == "Deployment" {
            manifest = manifest["spec"]["template"].clone();
            manifest["metadata"]["name"] = json!("pod");
        }
        let spec = made(&attempt, &manifest).await?;
        for container in [&spec["containers"], &spec["initContainers"]] {
            let all = container.as_array().into_iter().flatten();
            served.extend(all.map(|container| (container["name"].clone(), is_served(container))));
        }
    }
    let expected = [
        ("app", true),
        ("app", true),
        ("proxy", false),
        ("migrate", true),
    ];
    assert_eq!(served, expected.map(|(name, served)| (json!(name), served)));
    Ok(())
}
