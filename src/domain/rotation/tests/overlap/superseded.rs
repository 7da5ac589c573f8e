//! Publications and withdrawals that supersede a pair, and those that do not.

use std::time::Duration;

use crate::{
    api::StaticAwsCredentialsStatus,
    domain::rotation::{
        ReloadMode, is_open, judge, note, propagated_at,
        tests::{DELIVERED, KUBELET, PUBLISHED, time},
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{PICKED_UP, alone, assert_condition, assess_at, condition, published, rotated};

#[test]
fn a_new_pair_supersedes_the_previous_one() {
    let status = rotated();
    let previous = status.previous.as_ref().unwrap();
    assert_eq!(previous.key_id_suffix, "AAAA");
    assert_eq!(previous.superseded_time.0, time(PUBLISHED));
    assert_eq!(previous.picked_up_time.0, time(PICKED_UP));
    assert!(status.previous_key_safe_after.is_none() && status.consumers.is_none());
    assert_condition(
        &status,
        "Unknown",
        "ConsumersPickingUp",
        &["ends in AAAA", "2026-01-01T12:01:30Z"],
    );
}

#[test]
fn the_longer_of_two_times_to_live_counts() {
    for (before, after, end) in [
        (Some(1080), Some(3600), "2026-01-01T13:03:00Z"),
        (Some(3600), Some(1080), "2026-01-01T13:03:00Z"),
        (None, Some(960), "2026-01-01T12:19:00Z"),
        (None, None, "2026-01-01T12:03:00Z"),
    ] {
        let with = |suffix, revision, ttl| {
            let mut status = published(suffix, revision);
            status
                .published
                .as_mut()
                .unwrap()
                .credential_process_ttl_seconds = ttl;
            status
        };
        let mut status = with("BBBB", 2, after);
        note(
            &with("AAAA", 1, before),
            &mut status,
            KUBELET,
            time(PUBLISHED),
        );
        assert_eq!(status.previous.unwrap().picked_up_time.0, time(end));
    }
}

#[test]
fn nothing_else_supersedes_anything() {
    let first = StaticAwsCredentialsStatus::default();
    let mut after = published("AAAA", 1);
    note(&first, &mut after, KUBELET, time(PUBLISHED));
    assert!(after.previous.is_none(), "the first pair");
    let mut after = published("AAAA", 1);
    note(&published("AAAA", 1), &mut after, KUBELET, time(PUBLISHED));
    assert!(after.previous.is_none(), "another layout");
    let mut after = published("AAAA", 2);
    note(&published("AAAA", 1), &mut after, KUBELET, time(PUBLISHED));
    assert!(
        after.previous.is_none(),
        "a revision that rose without a new key"
    );
    assert!(is_open(&after).is_none());
}

#[test]
fn a_third_key_restarts_the_pick_up_time_of_all_before_it() {
    let open = assess_at(
        &[("web-0", ReloadMode::NeedsRestart)],
        "2026-01-01T12:05:00Z",
    )
    .status;
    let mut third = open.clone();
    let next = third.published.as_mut().unwrap();
    (next.key_id_suffix, next.revision) = ("CCCC".to_owned(), 3);
    next.time = Time(time("2026-01-01T12:06:00Z"));
    note(&open, &mut third, KUBELET, time("2026-01-01T12:06:00Z"));
    let previous = third.previous.as_ref().unwrap();
    assert_eq!(previous.key_id_suffix, "BBBB");
    assert_eq!(previous.picked_up_time.0, time("2026-01-01T12:27:00Z"));
    assert!(third.consumers.is_none());
    assert_condition(&third, "Unknown", "ConsumersPickingUp", &["BBBB"]);
}

#[test]
fn a_rotation_back_makes_the_newer_key_the_previous_one() {
    let settled = assess_at(&[], PICKED_UP).status;
    let mut back = settled.clone();
    let next = back.published.as_mut().unwrap();
    (next.key_id_suffix, next.revision) = ("AAAA".to_owned(), 3);
    note(&settled, &mut back, KUBELET, time(PICKED_UP));
    assert_eq!(back.previous.as_ref().unwrap().key_id_suffix, "BBBB");
    assert!(is_open(&back).is_some());
    assert!(back.previous_key_safe_after.is_none());
}

#[test]
fn a_withdrawal_keeps_the_open_previous_key() {
    let open = assess_at(
        &[("web-0", ReloadMode::NeedsRestart)],
        "2026-01-01T12:05:00Z",
    )
    .status;
    let mut gone = open.clone();
    gone.published = None;
    note(&open, &mut gone, KUBELET, time("2026-01-01T12:06:00Z"));
    assert_eq!(gone.previous, open.previous);
    assert_condition(&gone, "True", "ConsumersHoldPreviousKey", &["web-0"]);
    let assessment = judge(&gone, &[], &alone(), time(PICKED_UP)).unwrap();
    assert_condition(
        &assessment.status,
        "False",
        "PreviousKeyUnused",
        &["uses Secret \"orders-credentials\" holds"],
    );
}

#[test]
fn a_publication_after_a_withdrawal_restarts_the_pick_up_time_of_an_older_key() {
    let mut gone = rotated();
    gone.published = None;
    let mut again = published("CCCC", 1);
    again.previous.clone_from(&gone.previous);
    again.conditions.clone_from(&gone.conditions);
    let now = "2026-01-01T12:30:00Z";
    again.published.as_mut().unwrap().time = Time(time(now));
    note(&gone, &mut again, KUBELET, time(now));
    let previous = again.previous.as_ref().unwrap();
    assert_eq!(previous.key_id_suffix, "AAAA");
    assert_eq!(previous.superseded_time, Time(time(now)));
    assert_eq!(previous.picked_up_time, Time(time("2026-01-01T12:51:00Z")));
}

#[test]
fn a_withdrawal_without_an_open_key_has_no_consumers() {
    let settled = assess_at(&[], PICKED_UP).status;
    let mut gone = settled.clone();
    gone.published = None;
    note(&settled, &mut gone, KUBELET, time(PICKED_UP));
    assert!(gone.previous.is_none() && gone.conditions.is_empty());
}

#[test]
fn a_pair_is_delivered_and_picked_up_later_where_the_kubelet_is_slower() {
    let pair = published("AAAA", 1).published.unwrap();
    assert_eq!(propagated_at(&pair, KUBELET), time(DELIVERED));
    let slow = Duration::from_mins(5);
    assert_eq!(propagated_at(&pair, slow), time("2026-01-01T12:05:00Z"));
    let mut after = published("BBBB", 2);
    note(&published("AAAA", 1), &mut after, slow, time(PUBLISHED));
    let previous = after.previous.as_ref().unwrap();
    assert_eq!(previous.picked_up_time.0, time("2026-01-01T12:24:00Z"));
    assert!(condition(&after).2.contains("2026-01-01T12:05:00Z"));
}
