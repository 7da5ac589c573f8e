//! How a workload uses a target, and when its rollout is complete.

use crate::{
    api::{WorkloadKind, WorkloadReference},
    domain::rotation::{ReloadMode, Workload, restart_annotation_key},
};
use kube::Resource;
use serde_json::{Value, json};

use super::UID;

const TARGET: &str = "orders-credentials";

/// A workload without a rollout in progress, changed by the test.
pub fn workload(change: impl FnOnce(&mut Value)) -> Workload {
    let mut workload = json!({
        "metadata": { "name": "web", "generation": 3, "creationTimestamp": super::BEFORE },
        "spec": {
            "replicas": 2,
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "app", "image": "app" }] },
            },
        },
        "status": {
            "observedGeneration": 3,
            "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2,
        },
    });
    change(&mut workload);
    serde_json::from_value(workload).unwrap()
}

fn reload_mode(template: Value) -> Option<ReloadMode> {
    workload(|workload| workload["spec"]["template"] = template).reload_mode(TARGET)
}

#[test]
fn a_template_uses_a_target_as_its_pods_do() {
    let by_variables = json!({ "spec": { "containers": [
        { "name": "proxy", "image": "proxy" },
        { "name": "app", "image": "app", "envFrom": [{ "secretRef": { "name": TARGET } }] },
    ] } });
    assert_eq!(reload_mode(by_variables), Some(ReloadMode::NeedsRestart));
    let at_its_start = json!({ "spec": {
        "volumes": [{ "name": "aws", "secret": { "secretName": TARGET } }],
        "containers": [{ "name": "app", "image": "app" }],
        "initContainers": [{
            "name": "write", "image": "write", "volumeMounts": [{ "name": "aws", "mountPath": "/aws" }],
        }],
    } });
    assert_eq!(reload_mode(at_its_start), Some(ReloadMode::NeedsRestart));
    let not_at_all = json!({ "spec": { "containers": [
        { "name": "app", "image": "app", "envFrom": [{ "secretRef": { "name": "other" } }] },
    ] } });
    assert_eq!(reload_mode(not_at_all), None);
}

#[test]
fn what_injection_will_add_counts() {
    let injected = |annotations: Value| {
        reload_mode(json!({
            "metadata": { "annotations": annotations },
            "spec": { "containers": [{ "name": "app", "image": "app" }] },
        }))
    };
    let (inject, rotation) = ("awscredentials.dev/inject", "awscredentials.dev/rotation");
    assert_eq!(
        injected(json!({ inject: TARGET })),
        Some(ReloadMode::NeedsRestart)
    );
    assert_eq!(
        injected(json!({ inject: TARGET, rotation: "Hot" })),
        Some(ReloadMode::Reloads)
    );
    assert_eq!(injected(json!({ inject: "other", rotation: "Hot" })), None);
}

#[test]
fn one_container_that_does_not_reload_is_enough() {
    let both = json!({
        "metadata": { "annotations": {
            "awscredentials.dev/inject": TARGET, "awscredentials.dev/rotation": "Hot",
        } },
        "spec": { "containers": [
            { "name": "app", "image": "app", "env": [{
                "name": "KEY", "valueFrom": { "secretKeyRef": { "name": TARGET, "key": "AWS_ACCESS_KEY_ID" } },
            }] },
        ] },
    });
    assert_eq!(reload_mode(both), Some(ReloadMode::NeedsRestart));
}

#[test]
fn the_restart_annotation_names_the_publication() {
    let marked = |value: &str| {
        workload(|workload| {
            workload["spec"]["template"]["metadata"]["annotations"] =
                json!({ restart_annotation_key(UID): value });
        })
    };
    assert_eq!(marked("7@then").restarted_for(UID), Some("7@then"));
    assert_eq!(marked("7@then").restarted_for("another"), None);
    assert_eq!(workload(|_| ()).restarted_for(UID), None);
    assert!(restart_annotation_key(UID).starts_with("restart.awscredentials.dev/"));
}

fn is_healthy(kind: WorkloadKind, patch: &Value) -> bool {
    workload(|workload| {
        for part in ["metadata", "spec", "status"] {
            for (key, value) in patch[part].as_object().into_iter().flatten() {
                workload[part][key] = value.clone();
            }
        }
    })
    .is_healthy(kind)
}

#[test]
fn a_deployment_is_healthy_when_its_rollout_is_over() {
    let is_healthy_with = |patch: Value| is_healthy(WorkloadKind::Deployment, &patch);
    assert!(is_healthy_with(json!({})));
    assert!(
        !is_healthy_with(json!({ "metadata": { "generation": 4 } })),
        "not seen"
    );
    assert!(!is_healthy_with(
        json!({ "status": { "updatedReplicas": 1 } })
    ));
    assert!(!is_healthy_with(
        json!({ "status": { "availableReplicas": 1 } })
    ));
    assert!(
        !is_healthy_with(json!({ "status": { "replicas": 3 } })),
        "an old one is left"
    );
    assert!(!is_healthy_with(json!({ "spec": { "replicas": 3 } })));
    let none = json!({ "replicas": 0, "updatedReplicas": 0, "availableReplicas": 0 });
    assert!(is_healthy_with(
        json!({ "spec": { "replicas": 0 }, "status": none })
    ));
    assert!(
        is_healthy_with(json!({ "spec": { "paused": true }, "status": none })),
        "another controller rolls it out"
    );
}

#[test]
fn a_stateful_set_is_healthy_down_to_its_partition() {
    let is_healthy_with = |patch: Value| is_healthy(WorkloadKind::StatefulSet, &patch);
    assert!(is_healthy_with(json!({})));
    assert!(!is_healthy_with(
        json!({ "status": { "updatedReplicas": 1 } })
    ));
    assert!(!is_healthy_with(
        json!({ "status": { "availableReplicas": 1 } })
    ));
    let partition = json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 1 } });
    assert!(is_healthy_with(json!({
        "spec": { "updateStrategy": partition }, "status": { "updatedReplicas": 1 },
    })));
    let on_delete = json!({ "updateStrategy": { "type": "OnDelete" } });
    assert!(is_healthy_with(
        json!({ "spec": on_delete, "status": { "updatedReplicas": 0 } })
    ));
}

#[test]
fn a_daemon_set_is_healthy_on_every_node() {
    let is_healthy_with = |wanted: i32, updated: i32, available: i32| {
        is_healthy(
            WorkloadKind::DaemonSet,
            &json!({ "status": {
                "desiredNumberScheduled": wanted,
                "updatedNumberScheduled": updated,
                "numberAvailable": available,
            } }),
        )
    };
    assert!(is_healthy_with(3, 3, 3) && is_healthy_with(0, 0, 0));
    assert!(!is_healthy_with(3, 2, 3) && !is_healthy_with(3, 3, 2));
}

#[test]
fn a_reference_is_read_as_it_is_written() {
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let text = format!("{kind}/web.eu-1");
        let reference = WorkloadReference::parse(&text).unwrap();
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.kind.as_str(), kind);
    }
    for text in ["", "web", "Pod/web", "deployment/web"] {
        assert_eq!(WorkloadReference::parse(text), None, "{text}");
    }
}

#[test]
fn workloads_are_read_under_the_paths_of_their_kinds() {
    for (kind, path) in [
        (WorkloadKind::Deployment, "deployments"),
        (WorkloadKind::StatefulSet, "statefulsets"),
        (WorkloadKind::DaemonSet, "daemonsets"),
    ] {
        assert_eq!(
            Workload::url_path(&kind, Some("shop")),
            format!("/apis/apps/v1/namespaces/shop/{path}")
        );
    }
}
