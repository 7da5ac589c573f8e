//! Restarts of workloads: the revision that requires them, their order, and the condition that reports them.

use std::time::Duration;

use crate::{
    api::{
        ConditionType, MOST_WORKLOADS, Published, Restart, Restarts, StaticAwsCredentialsStatus,
        WorkloadReference,
    },
    domain::{
        conditions,
        consumers::{
            Laggards, Recheck,
            restart::{self, Blocker, RestartState},
            restart_annotation_key,
        },
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::{
    AFTER, BEFORE, DELIVERED, KUBELET, PUBLISHED, UID, publication, time, workload::workload,
};

fn published(revision: i64) -> Published {
    serde_json::from_value(json!({
        "secretName": "orders-credentials", "uid": "u", "resourceVersion": "1",
        "keyIdSuffix": "L2B4", "revision": revision, "time": PUBLISHED,
    }))
    .unwrap()
}

fn status(revision: i64) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        published: Some(published(revision)),
        ..StaticAwsCredentialsStatus::default()
    }
}

fn wanted() -> Restart {
    serde_json::from_value(json!({ "scope": "Consumers" })).unwrap()
}

/// The status after a reconcile that published this revision in place of the previous one.
fn noted(before: &StaticAwsCredentialsStatus, revision: i64) -> StaticAwsCredentialsStatus {
    let mut after = StaticAwsCredentialsStatus {
        published: Some(published(revision)),
        ..before.clone()
    };
    restart::note(
        before,
        &mut after,
        Some(&wanted()),
        true,
        KUBELET,
        time(PUBLISHED),
    );
    after
}

fn said(status: &StaticAwsCredentialsStatus) -> (&str, &str, &str) {
    let kind = ConditionType::ConsumersRestarted;
    let condition = conditions::find(&status.conditions, kind).unwrap();
    (&condition.status, &condition.reason, &condition.message)
}

fn is_said(status: &StaticAwsCredentialsStatus) -> bool {
    conditions::find(&status.conditions, ConditionType::ConsumersRestarted).is_some()
}

/// The last check found no workload to restart.
const NONE: Option<&Laggards> = Some(&Laggards {
    unmarked: Vec::new(),
    rolling: Vec::new(),
    others: Vec::new(),
});

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn under_way(restarting: &[&str], pending: Option<&[&str]>) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        restarts: Some(Restarts {
            revision: 2,
            pending: pending.map(names),
            restarting: names(restarting),
            restarting_since: None,
            restarted: 4,
            gone: 0,
        }),
        ..status(2)
    }
}

#[test]
fn another_pair_begins_them_and_nothing_else_does() {
    let begun = noted(&status(1), 2);
    let restarts = begun.restarts.clone().unwrap();
    assert_eq!((restarts.revision, restarts.pending), (2, None));
    let (truth, reason, message) = said(&begun);
    assert_eq!((truth, reason), ("Unknown", "RestartsPending"));
    assert!(message.contains(DELIVERED), "{message}");

    let first = noted(&StaticAwsCredentialsStatus::default(), 1);
    assert!(
        first.restarts.is_none() && !is_said(&first),
        "the first pair"
    );
    let same = noted(&status(2), 2);
    assert!(same.restarts.is_none() && !is_said(&same), "the same pair");
    assert_eq!(noted(&begun, 2), begun, "a later run");
}

#[test]
fn whoever_does_not_want_them_hears_nothing_of_them() {
    let begun = noted(&status(1), 2);
    let mut after = begun.clone();
    restart::note(&begun, &mut after, None, true, KUBELET, time(PUBLISHED));
    assert!(after.restarts.is_none() && !is_said(&after));
    let mut withdrawn = StaticAwsCredentialsStatus {
        published: None,
        ..begun.clone()
    };
    restart::note(
        &begun,
        &mut withdrawn,
        Some(&wanted()),
        true,
        KUBELET,
        time(PUBLISHED),
    );
    assert!(withdrawn.restarts.is_none() && !is_said(&withdrawn));
}

#[test]
fn without_the_right_that_is_said_and_nothing_begins() {
    let mut after = status(2);
    restart::note(
        &status(1),
        &mut after,
        Some(&wanted()),
        false,
        KUBELET,
        time(PUBLISHED),
    );
    assert!(after.restarts.is_none());
    let (truth, reason, message) = said(&after);
    assert_eq!((truth, reason), ("Unknown", "RestartsNotAllowed"));
    assert!(message.contains("rotation.restart.enabled"), "{message}");
}

#[test]
fn what_a_rotation_leaves_unhealthy_is_handed_on() {
    let before = under_way(&["Deployment/ill"], Some(&["Deployment/b"]));
    let after = noted(&before, 3);
    let restarts = after.restarts.unwrap();
    assert_eq!(restarts.revision, 3);
    assert_eq!(restarts.restarting, ["Deployment/ill"]);
    assert_eq!((restarts.pending, restarts.restarted), (None, 0));
}

#[test]
fn who_is_due() {
    let turn = |created: &str, mark_value: Option<&str>| {
        let seen = workload(|workload| {
            workload["metadata"]["creationTimestamp"] = json!(created);
            let annotations = mark_value.map(|value| json!({ restart_annotation_key(UID): value }));
            workload["spec"]["template"]["metadata"]["annotations"] =
                annotations.unwrap_or_else(|| json!({}));
        });
        restart::restart_state(&seen, publication(&published(2)))
    };
    assert_eq!(turn(BEFORE, None), RestartState::Due);
    assert_eq!(
        turn(DELIVERED, None),
        RestartState::Due,
        "it may have the old pair"
    );
    assert_eq!(turn(AFTER, None), RestartState::Newer);
    let this = publication(&published(2)).restart_annotation_value();
    assert_eq!(this, format!("2@{PUBLISHED}"));
    assert_eq!(turn(BEFORE, Some(&this)), RestartState::Restarted);
    assert_eq!(turn(AFTER, Some(&this)), RestartState::Restarted);
    let before = publication(&published(1)).restart_annotation_value();
    assert_eq!(turn(BEFORE, Some(&before)), RestartState::Due);
    // After a withdrawal, revisions start over.
    assert_eq!(
        turn(BEFORE, Some("2@2025-12-01T00:00:00Z")),
        RestartState::Due
    );
    assert_eq!(
        turn(BEFORE, Some("7@2025-12-01T00:00:00Z")),
        RestartState::Due
    );
}

#[test]
fn what_may_be_healed_comes_first_and_what_was_ill_before_last() {
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
fn whoever_is_not_named_any_more_is_not_meant() {
    let named: Restart = serde_json::from_value(json!({
        "scope": "Workloads", "workloads": [{ "kind": "Deployment", "name": "web" }],
    }))
    .unwrap();
    assert!(restart::is_selected("Deployment/web", &named));
    assert!(!restart::is_selected("StatefulSet/web", &named));
    assert!(restart::is_selected("StatefulSet/web", &wanted()));
}

#[test]
fn a_target_that_is_read_again_needs_no_restart() {
    let hot = workload(|workload| {
        workload["spec"]["template"]["metadata"]["annotations"] = json!({
            "awscredentials.dev/inject": "orders-credentials", "awscredentials.dev/rotation": "Hot",
        });
    });
    assert!(!restart::needs_restart(&hot, "orders-credentials"));
    let read_once = workload(|workload| {
        workload["spec"]["template"]["metadata"]["annotations"] =
            json!({ "awscredentials.dev/inject": "orders-credentials" });
    });
    assert!(restart::needs_restart(&read_once, "orders-credentials"));
    assert!(!restart::needs_restart(&read_once, "other"));
}

#[test]
fn they_go_on_until_all_are_healthy() {
    let mut looking = under_way(&[], None);
    assert_eq!(
        restart::judge(&mut looking, NONE, Duration::ZERO, time(AFTER)),
        Some(Recheck::Later)
    );
    assert!(looking.restarts.is_some() && !is_said(&looking));

    let mut going = under_way(&["Deployment/a", "Deployment/b"], Some(&["Deployment/c"]));
    assert_eq!(
        restart::judge(&mut going, NONE, Duration::ZERO, time(AFTER)),
        Some(Recheck::Soon)
    );
    let (truth, reason, message) = said(&going);
    assert_eq!((truth, reason), ("Unknown", "RestartsProgressing"));
    assert!(message.contains("Deployment/a, Deployment/b") && message.contains("1 more"));
    assert!(restart::in_progress(&going));

    let mut done = under_way(&[], Some(&[]));
    assert_eq!(
        restart::judge(&mut done, NONE, Duration::ZERO, time(AFTER)),
        None
    );
    let (truth, reason, message) = said(&done);
    assert_eq!((truth, reason), ("True", "ConsumersRestarted"));
    assert!(
        message == "restarted for revision 2 and healthy: 4 workloads",
        "{message}"
    );
    assert!(!restart::in_progress(&done));
    let mut nobody = under_way(&[], Some(&[]));
    nobody.restarts.as_mut().unwrap().restarted = 0;
    restart::judge(&mut nobody, NONE, Duration::ZERO, time(AFTER));
    assert_eq!(
        said(&nobody).2,
        "no workload needed a restart for revision 2"
    );
    assert_eq!(
        restart::judge(&mut done, NONE, Duration::ZERO, time(AFTER)),
        None
    );
}

#[test]
fn a_rollout_that_takes_minutes_is_told_as_one_that_holds_the_others_up() {
    let patience = Duration::from_mins(5);
    let mut held = under_way(&["StatefulSet/db"], Some(&["Deployment/c"]));
    restart::judge(
        &mut held,
        NONE,
        Duration::ZERO,
        time("2026-01-01T12:10:00Z"),
    );
    restart::judge(&mut held, NONE, patience, time("2026-01-01T12:15:00Z"));
    assert_eq!(said(&held).1, "RestartsProgressing");
    let slow = patience + Duration::from_secs(1);
    let again = restart::judge(&mut held, NONE, slow, time("2026-01-01T12:15:01Z"));
    assert_eq!(again, Some(Recheck::Soon));
    let (truth, reason, message) = said(&held);
    assert_eq!((truth, reason), ("False", "RestartsHeld"));
    assert!(
        message.contains("StatefulSet/db") && message.contains("since 2026-01-01T12:10:00Z"),
        "{message}"
    );
    assert!(message.contains("delete that pod by hand"), "{message}");
}

#[test]
fn a_wall_clock_that_was_set_is_not_minutes_of_ill_health() {
    for now in ["2026-01-01T06:00:00Z", "2026-01-01T18:00:00Z"] {
        let mut going = under_way(&["StatefulSet/db"], Some(&[]));
        going.restarts.as_mut().unwrap().restarting_since = Some(Time(time(AFTER)));
        restart::judge(&mut going, NONE, Duration::from_secs(20), time(now));
        assert_eq!(said(&going).1, "RestartsProgressing", "{now}");
    }
}

#[test]
fn what_was_gone_before_it_was_healthy_is_told_and_not_counted_as_healthy() {
    let mut done = under_way(&[], Some(&[]));
    done.restarts.as_mut().unwrap().gone = 1;
    restart::judge(&mut done, NONE, Duration::ZERO, time(AFTER));
    assert_eq!(
        said(&done).2,
        "restarted for revision 2 and healthy: 4 workloads; gone before they were healthy: 1"
    );
}

#[test]
fn what_stands_in_the_way_is_named() {
    let told = |why: &Blocker| {
        let mut status = under_way(&[], Some(&["Deployment/a"]));
        restart::mark_blocked(&mut status, why, time(AFTER));
        let (truth, reason, message) = said(&status);
        assert!(restart::in_progress(&status));
        (format!("{truth} {reason}"), message.to_owned())
    };
    let refused = Blocker::Refused("Deployment/a".to_owned(), "quotas say no".to_owned());
    let (what, message) = told(&refused);
    assert_eq!(what, "False RestartsHeld");
    assert!(message.contains("Deployment/a: quotas say no"), "{message}");
    let many: Vec<String> = (0..12).map(|n| format!("Deployment/{n}")).collect();
    let (what, message) = told(&Blocker::Missing(many));
    assert_eq!(what, "False RestartsHeld");
    assert!(message.contains("Deployment/9 and 2 more"), "{message}");
    let (what, _) = told(&Blocker::NotAllowed);
    assert_eq!(what, "Unknown RestartsNotAllowed");
    let mut waiting = under_way(&[], None);
    restart::waits(&mut waiting, time(AFTER));
    assert_eq!(said(&waiting).1, "RestartsPending");
}

#[test]
fn they_go_on_only_while_the_resource_is_ready() {
    let ready = |truth: &str| {
        let mut status = status(2);
        status.conditions = serde_json::from_value(json!([{
            "type": "Ready", "status": truth, "reason": "Published", "message": "",
            "lastTransitionTime": PUBLISHED,
        }]))
        .unwrap();
        restart::may_go_on(&status)
    };
    assert!(ready("True") && !ready("False") && !ready("Unknown"));
}
