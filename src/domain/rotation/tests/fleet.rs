//! Running pods that are older than a pair, and the workloads that own them.

use std::time::Duration;

use crate::{
    api::{Published, Restart, StaticAwsCredentialsStatus},
    domain::{
        conditions::ConditionStatus,
        rotation::{Fleets, Laggards, Pod, Pods, Recheck, restart, restart_annotation_key},
    },
};
use serde_json::{Value, json};

use super::{AFTER, BEFORE, DELIVERED, PUBLISHED, UID, publication, time, workload::workload};

const TARGET: &str = "orders-credentials";

fn published() -> Published {
    serde_json::from_value(json!({
        "secretName": TARGET, "uid": "u", "resourceVersion": "1",
        "keyIdSuffix": "L2B4", "revision": 2, "time": PUBLISHED,
    }))
    .unwrap()
}

fn scope(value: Value) -> Restart {
    serde_json::from_value(value).unwrap()
}

fn pod(name: &str, mut metadata: Value, secret: &str, started: &str) -> Pod {
    let mut pod = json!({
        "spec": { "containers": [{
            "name": "app", "envFrom": [{ "secretRef": { "name": secret } }],
        }] },
        "status": {
            "phase": "Running",
            "containerStatuses": [{ "name": "app", "state": { "running": { "startedAt": started } } }],
        },
    });
    metadata["name"] = json!(name);
    pod["metadata"] = metadata;
    serde_json::from_value(pod).unwrap()
}

fn owner_references(api_version: &str, kind: &str, name: &str) -> Value {
    json!([{ "apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": true }])
}

fn fleets(wanted: &Restart, pods: &[Pod]) -> Fleets {
    let mut fleets = Fleets::default();
    for pod in pods {
        fleets.add(pod, wanted, publication(&published()));
    }
    fleets
}

#[test]
fn a_pod_is_named_by_its_top_level_owner() {
    let owner = |metadata: Value| pod("p", metadata, TARGET, BEFORE).owner();
    let owner_by_label = |label: &str, hash: &str| {
        let mut metadata =
            json!({ "ownerReferences": owner_references("apps/v1", "ReplicaSet", "web-5d7c8") });
        metadata["labels"] = json!({ label: hash });
        owner(metadata)
    };
    assert_eq!(
        owner_by_label("pod-template-hash", "5d7c8"),
        "Deployment/web"
    );
    assert_eq!(
        owner_by_label("rollouts-pod-template-hash", "5d7c8"),
        "Rollout/web"
    );
    assert_eq!(
        owner_by_label("pod-template-hash", "other"),
        "ReplicaSet/web-5d7c8"
    );
    let direct = |api_version: &str, kind: &str| {
        owner(json!({ "ownerReferences": owner_references(api_version, kind, "db") }))
    };
    assert_eq!(direct("apps/v1", "StatefulSet"), "StatefulSet/db");
    assert_eq!(
        direct("apps.kruise.io/v1beta1", "StatefulSet"),
        "StatefulSet.apps.kruise.io/db"
    );
    assert_eq!(direct("apps.kruise.io/v1alpha1", "CloneSet"), "CloneSet/db");
    let config = json!({
        "annotations": { "openshift.io/deployment-config.name": "web" },
        "ownerReferences": owner_references("v1", "ReplicationController", "web-1"),
    });
    assert_eq!(owner(config), "DeploymentConfig/web");
    assert_eq!(owner(json!({})), "Pod/p");
    let mut not_its_controller = owner_references("v1", "ConfigMap", "c");
    not_its_controller[0]["controller"] = json!(false);
    assert_eq!(
        owner(json!({ "ownerReferences": not_its_controller })),
        "Pod/p"
    );
}

#[test]
fn pods_are_older_or_newer_than_the_delivery_of_a_pair() {
    let consumers = scope(json!({ "scope": "Consumers" }));
    let db = || json!({ "ownerReferences": owner_references("apps/v1", "StatefulSet", "db") });
    let mut ended = json!({ "metadata": db(), "spec": { "containers": [] } });
    ended["status"] = json!({ "phase": "Succeeded" });
    let fleets = fleets(
        &consumers,
        &[
            pod("db-0", db(), TARGET, BEFORE),
            pod("db-1", db(), TARGET, AFTER),
            pod("db-2", db(), "other", BEFORE),
            serde_json::from_value(ended).unwrap(),
            pod("bare", json!({}), TARGET, AFTER),
        ],
    );
    assert_eq!(fleets.of("StatefulSet/db"), Pods { older: 1, newer: 1 });
    assert_eq!(fleets.left(&consumers), ["StatefulSet/db"]);
    assert!(!fleets.restarted_by_itself("StatefulSet/db"));
    assert!(fleets.restarted_by_itself("Pod/bare"));
    assert!(!fleets.restarted_by_itself("Deployment/without-pods"));
}

/// A rollout that begins in the second of the delivery starts containers in that second, and a node's clock may be
/// slow.
#[test]
fn a_pod_of_a_restarted_template_is_newer_whatever_the_clock_of_its_node_is() {
    let consumers = scope(json!({ "scope": "Consumers" }));
    let restarted_for = |value: String| {
        json!({
            "ownerReferences": owner_references("apps/v1", "StatefulSet", "db"),
            "annotations": { restart_annotation_key(UID): value },
        })
    };
    let this = publication(&published()).restart_annotation_value();
    for (value, started, expected) in [
        (this.clone(), DELIVERED, Pods { older: 0, newer: 1 }),
        (this, BEFORE, Pods { older: 0, newer: 1 }),
        (
            "1@before".to_owned(),
            DELIVERED,
            Pods { older: 1, newer: 0 },
        ),
    ] {
        let fleets = fleets(
            &consumers,
            &[pod("db-0", restarted_for(value), TARGET, started)],
        );
        assert_eq!(fleets.of("StatefulSet/db"), expected);
    }
}

#[test]
fn a_workload_that_is_named_need_not_use_the_target() {
    let named = scope(json!({
        "scope": "Workloads", "workloads": [{ "kind": "StatefulSet", "name": "db" }],
    }));
    let db = json!({ "ownerReferences": owner_references("apps/v1", "StatefulSet", "db") });
    let fleets = fleets(
        &named,
        &[
            pod("db-0", db, "other", BEFORE),
            pod("bare", json!({}), TARGET, BEFORE),
        ],
    );
    assert_eq!(fleets.of("StatefulSet/db"), Pods { older: 1, newer: 0 });
    assert_eq!(
        fleets.left(&named),
        ["StatefulSet/db"],
        "no other is asked for"
    );
}

#[test]
fn a_pod_without_a_running_container_is_neither_older_nor_newer() {
    let consumers = scope(json!({ "scope": "Consumers" }));
    let waiting: Pod = serde_json::from_value(json!({
        "metadata": { "name": "p" },
        "spec": { "containers": [{
            "name": "app", "envFrom": [{ "secretRef": { "name": TARGET } }],
        }] },
        "status": { "phase": "Pending" },
    }))
    .unwrap();
    assert_eq!(fleets(&consumers, &[waiting]).of("Pod/p"), Pods::default());
}

#[test]
fn a_pod_like_those_of_a_template_has_its_labels() {
    let web = workload(|_| ());
    let labelled = |labels: Value| pod("p", json!({ "labels": labels }), TARGET, BEFORE);
    assert!(web.is_made_like(&labelled(json!({ "app": "web", "more": "yes" }))));
    assert!(!web.is_made_like(&labelled(json!({ "app": "other" }))));
    let bare = workload(|bare| bare["spec"]["template"]["metadata"] = json!({}));
    assert!(!bare.is_made_like(&labelled(json!({ "app": "web" }))));
    assert!(!web.is_idle());
    let idle = workload(|idle| {
        idle["spec"]["replicas"] = json!(0);
        idle["status"]["replicas"] = json!(0);
    });
    assert!(idle.is_idle());
}

fn done() -> StaticAwsCredentialsStatus {
    serde_json::from_value(json!({
        "published": published(),
        "restarts": { "revision": 2, "pending": [], "restarted": 1, "restartingSince": AFTER },
    }))
    .unwrap()
}

#[test]
fn restarts_are_done_only_after_a_last_check_that_found_nothing() {
    let mut status = done();
    let again = restart::judge(&mut status, None, Duration::ZERO, time(AFTER));
    assert_eq!(again, Some(Recheck::Later));
    assert_eq!(status, done(), "nothing is said before");
    let found = Laggards {
        rolling: vec!["Deployment/a".to_owned()],
        ..Laggards::default()
    };
    let again = restart::judge(&mut status, Some(&found), Duration::ZERO, time(AFTER));
    assert_eq!(again, Some(Recheck::Later));
    assert_eq!(status.conditions[0].reason, "RestartsProgressing");
    assert!(status.restarts.as_ref().unwrap().restarting_since.is_some());
    let none = Laggards::default();
    let again = restart::judge(&mut status, Some(&none), Duration::ZERO, time(AFTER));
    assert_eq!(again, None);
    assert_eq!(status.conditions[0].reason, "ConsumersRestarted");
}

#[test]
fn a_rollout_is_waited_for_and_other_laggards_are_held_at_once() {
    let timeout = Duration::from_mins(5);
    let a = || vec!["Deployment/a".to_owned()];
    let rolling = Laggards {
        rolling: a(),
        ..Laggards::default()
    };
    assert_eq!(
        rolling.verdict(timeout, timeout).0,
        ConditionStatus::Unknown
    );
    let late = timeout + Duration::from_secs(1);
    assert_eq!(rolling.verdict(late, timeout).0, ConditionStatus::False);
    for held in [
        Laggards {
            unmarked: a(),
            ..Laggards::default()
        },
        Laggards {
            others: a(),
            ..Laggards::default()
        },
    ] {
        let (truth, reason, message) = held.verdict(Duration::ZERO, timeout);
        assert_eq!(
            (truth, reason.as_str()),
            (ConditionStatus::False, "RestartsHeld")
        );
        assert!(message.ends_with(": Deployment/a"), "{message}");
    }
}
