//! The condition that an assessment of the pods results in, and when the next one is due.

use std::time::Duration;

use crate::{
    api::StaticAwsCredentialsStatus,
    domain::rotation::{Own, Recheck, ReloadMode, is_open, judge, own, tests::time, unlisted},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{PICKED_UP, alone, assert_condition, assess_at, holders, rotated};

#[test]
fn pods_that_need_a_restart_are_named_and_no_time_is_given() {
    use ReloadMode::{NeedsRestart, Reloads};
    let assessment = assess_at(
        &[
            ("web-1", NeedsRestart),
            ("api-0", Reloads),
            ("web-0", NeedsRestart),
        ],
        "2026-01-01T13:00:00Z",
    );
    let status = &assessment.status;
    assert_condition(
        status,
        "True",
        "ConsumersHoldPreviousKey",
        &["restart web-0, web-1"],
    );
    assert!(status.previous_key_safe_after.is_none());
    let consumers = status.consumers.as_ref().unwrap();
    assert_eq!(
        (consumers.hot.count, consumers.restart_needed.count),
        (1, 2)
    );
    assert_eq!(consumers.restart_needed.names, ["web-0", "web-1"]);
    assert_eq!(assessment.again, Some(Recheck::Later));
}

#[test]
fn ten_pods_are_named_and_the_others_counted() {
    let names: Vec<String> = (0..25).map(|at| format!("web-{at:02}")).collect();
    let all: Vec<(&str, ReloadMode)> = names
        .iter()
        .map(|name| (name.as_str(), ReloadMode::NeedsRestart))
        .collect();
    let status = assess_at(&all, PICKED_UP).status;
    let group = &status.consumers.as_ref().unwrap().restart_needed;
    assert_eq!((group.count, group.names.len()), (25, 10));
    assert_condition(
        &status,
        "True",
        "ConsumersHoldPreviousKey",
        &["web-09 and 15 more"],
    );
}

#[test]
fn a_pod_in_an_unknown_state_keeps_the_end_open() {
    let status = assess_at(&[("web-0", ReloadMode::Unknown)], "2026-01-01T13:00:00Z").status;
    assert_condition(&status, "Unknown", "ConsumersUnknown", &["check web-0"]);
    assert!(status.previous_key_safe_after.is_none());
}

#[test]
fn the_pick_up_time_runs_while_all_pods_are_hot() {
    let assessment = assess_at(&[("web-0", ReloadMode::Reloads)], "2026-01-01T12:11:00Z");
    let status = &assessment.status;
    assert_condition(status, "Unknown", "ConsumersPickingUp", &[PICKED_UP]);
    assert_eq!(status.previous_key_safe_after, Some(Time(time(PICKED_UP))));
    assert_eq!(
        assessment.again,
        Some(Recheck::In(Duration::from_secs(601)))
    );
}

#[test]
fn after_the_pick_up_time_the_key_is_unused() {
    for all in [&[("web-0", ReloadMode::Reloads)][..], &[]] {
        let assessment = assess_at(all, PICKED_UP);
        assert_condition(
            &assessment.status,
            "False",
            "PreviousKeyUnused",
            &[
                "that uses Secret \"orders-credentials\"",
                "no other resource publishes it",
                "not checked: PersistentVolumes",
                "nodes with a wrong clock, other clusters; check",
                "deactivate",
            ],
        );
        assert_eq!(
            assessment.status.previous_key_safe_after,
            Some(Time(time(PICKED_UP)))
        );
        assert_eq!(assessment.again, None);
        assert!(
            is_open(&assessment.status).is_none(),
            "no pod is checked any more"
        );
        assert_eq!(
            judge(&assessment.status, &[], &alone(), time(PICKED_UP)),
            None
        );
    }
}

#[test]
fn without_the_right_to_list_pods_the_condition_is_unknown() {
    let status = unlisted(&rotated(), time(PICKED_UP)).unwrap().status;
    assert_condition(
        &status,
        "Unknown",
        "ConsumersNotListed",
        &["rotation.consumers.enabled"],
    );
    assert!(status.previous_key_safe_after.is_none());
}

#[test]
fn a_condition_keeps_the_time_of_its_last_transition() {
    let first = assess_at(
        &[("web-0", ReloadMode::NeedsRestart)],
        "2026-01-01T12:05:00Z",
    )
    .status;
    let holders = holders(&[("web-1", ReloadMode::NeedsRestart)]);
    let second = judge(&first, &holders, &alone(), time("2026-01-01T12:06:00Z"))
        .unwrap()
        .status;
    let times =
        |status: &StaticAwsCredentialsStatus| status.conditions[0].last_transition_time.clone();
    assert_eq!(times(&first), times(&second));
    assert_eq!(second.conditions.len(), 1);
}

#[test]
fn pods_without_the_previous_key_settle_nothing_before_the_pick_up_time() {
    let status = rotated();
    let previous = status.previous.as_ref().unwrap();
    for (now, settled) in [("2026-01-01T12:20:59Z", false), (PICKED_UP, true)] {
        for all in [&[("web-0", ReloadMode::Reloads)][..], &[]] {
            let found = own(&holders(all), previous, time(now));
            assert_eq!(found, Own::Clean { settled }, "{now}");
        }
    }
}
