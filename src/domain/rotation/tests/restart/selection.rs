//! Which workloads are restarted, and in which order.

use crate::{
    api::{MOST_WORKLOADS, Restart, WorkloadReference},
    domain::rotation::{
        restart::{self, RestartState},
        restart_annotation_key,
        tests::{AFTER, BEFORE, DELIVERED, PUBLISHED, UID, publication, workload::workload},
    },
};
use serde_json::json;

use super::{names, published, restart_policy};

#[test]
fn a_workload_is_due_until_it_was_restarted_or_is_newer() {
    let state = |created: &str, mark_value: Option<&str>| {
        let workload = workload(|workload| {
            workload["metadata"]["creationTimestamp"] = json!(created);
            let annotations = mark_value.map(|value| json!({ restart_annotation_key(UID): value }));
            workload["spec"]["template"]["metadata"]["annotations"] =
                annotations.unwrap_or_else(|| json!({}));
        });
        restart::restart_state(&workload, publication(&published(2)))
    };
    assert_eq!(state(BEFORE, None), RestartState::Due);
    assert_eq!(
        state(DELIVERED, None),
        RestartState::Due,
        "it may have the old pair"
    );
    assert_eq!(state(AFTER, None), RestartState::Newer);
    let this = publication(&published(2)).restart_annotation_value();
    assert_eq!(this, format!("2@{PUBLISHED}"));
    assert_eq!(state(BEFORE, Some(&this)), RestartState::Restarted);
    assert_eq!(state(AFTER, Some(&this)), RestartState::Restarted);
    let before = publication(&published(1)).restart_annotation_value();
    assert_eq!(state(BEFORE, Some(&before)), RestartState::Due);
    // After a withdrawal, revisions start over.
    assert_eq!(
        state(BEFORE, Some("2@2025-12-01T00:00:00Z")),
        RestartState::Due
    );
    assert_eq!(
        state(BEFORE, Some("7@2025-12-01T00:00:00Z")),
        RestartState::Due
    );
}

#[test]
fn workloads_that_may_heal_come_first_and_other_unhealthy_ones_last() {
    let found = |text: &str, healthy| (WorkloadReference::parse(text).unwrap(), healthy);
    let all = [
        found("Deployment/crashes", false),
        found("Deployment/web", true),
        found("DaemonSet/agent", true),
        found("Deployment/left", false),
    ];
    let order = restart::in_order(&all, &names(&["Deployment/left", "Deployment/gone"]));
    assert_eq!(
        order,
        [
            "Deployment/left",
            "DaemonSet/agent",
            "Deployment/web",
            "Deployment/crashes",
        ]
    );
    let many: Vec<_> = (0..=MOST_WORKLOADS)
        .map(|n| found(&format!("Deployment/web-{n}"), true))
        .collect();
    assert_eq!(restart::in_order(&many, &[]).len(), MOST_WORKLOADS);
}

#[test]
fn a_workload_that_is_no_longer_named_is_not_selected() {
    let named: Restart = serde_json::from_value(json!({
        "scope": "Workloads", "workloads": [{ "kind": "Deployment", "name": "web" }],
    }))
    .unwrap();
    assert!(restart::is_selected("Deployment/web", &named));
    assert!(!restart::is_selected("StatefulSet/web", &named));
    assert!(restart::is_selected("StatefulSet/web", &restart_policy()));
}

#[test]
fn a_workload_that_reloads_needs_no_restart() {
    let reloading = workload(|workload| {
        workload["spec"]["template"]["metadata"]["annotations"] = json!({
            "awscredentials.dev/inject": "orders-credentials", "awscredentials.dev/rotation": "Hot",
        });
    });
    assert!(!restart::needs_restart(&reloading, "orders-credentials"));
    let read_once = workload(|workload| {
        workload["spec"]["template"]["metadata"]["annotations"] =
            json!({ "awscredentials.dev/inject": "orders-credentials" });
    });
    assert!(restart::needs_restart(&read_once, "orders-credentials"));
    assert!(!restart::needs_restart(&read_once, "other"));
}
