//! When the consumers of the previous key pair are checked again, and how long a wait has lasted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use super::Overlap;
use crate::domain::rotation::{Own, Recheck};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

const SECOND: Duration = Duration::from_secs(1);

/// Delivery time of the published pair.
fn since(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Start of a wait, as the status has it.
fn wait_start() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

#[test]
fn the_first_check_waits_for_the_delivery() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    assert_eq!(overlap.wait(since(2), 90 * SECOND, now), 90 * SECOND);
    assert_eq!(
        overlap.wait(since(2), 60 * SECOND, now + 30 * SECOND),
        60 * SECOND
    );
    assert_eq!(
        overlap.wait(since(2), Duration::ZERO, now + 90 * SECOND),
        Duration::ZERO
    );
}

#[test]
fn another_publication_begins_anew() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    overlap.looked(Some(Recheck::Later), false, 0.5, now);
    assert_eq!(overlap.wait(since(3), 90 * SECOND, now), 90 * SECOND);
}

#[test]
fn checks_grow_rare_while_nothing_changes_and_frequent_after_a_change() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    let mut check = |changed| {
        overlap
            .looked(Some(Recheck::Later), changed, 0.5, now)
            .unwrap()
    };
    let pauses: Vec<u64> = [true, false, false, false, false, false, false, true]
        .map(|changed| check(changed).as_secs())
        .to_vec();
    assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 10]);
}

#[test]
fn workloads_that_wait_for_others_wait_a_minute_at_the_most_once_these_are_healthy() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    let mut check = |changed| {
        overlap
            .looked(Some(Recheck::Soon), changed, 0.5, now)
            .unwrap()
    };
    let pauses: Vec<u64> = [true, false, false, false, false, true]
        .map(|changed| check(changed).as_secs())
        .to_vec();
    assert_eq!(pauses, [10, 20, 40, 60, 60, 10]);
}

#[test]
fn not_all_resources_are_checked_at_the_same_time() {
    let now = Instant::now();
    let pause = |jitter| {
        let mut overlap = Overlap::default();
        overlap.wait(since(2), Duration::ZERO, now);
        overlap
            .looked(Some(Recheck::Later), true, jitter, now)
            .unwrap()
    };
    assert!(pause(0.0) < pause(1.0));
}

#[test]
fn a_time_that_is_known_is_kept_and_the_end_is_the_end() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    let minute = Duration::from_mins(1);
    assert_eq!(
        overlap.looked(Some(Recheck::In(minute)), false, 0.0, now),
        Some(minute)
    );
    assert_eq!(
        overlap.wait(since(2), Duration::ZERO, now + 20 * SECOND),
        40 * SECOND
    );
    assert_eq!(overlap.looked(None, false, 0.0, now), None);
}

#[test]
fn a_wait_is_measured_by_the_monotonic_clock() {
    let (began, now) = (wait_start(), Instant::now());
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    let mut waited = |hours, seconds| {
        let wall = began + SignedDuration::from_hours(hours);
        overlap.waited(began, wall, now + seconds * SECOND)
    };
    assert_eq!(waited(0, 0), Duration::ZERO);
    assert_eq!(waited(-1, 20), 20 * SECOND, "set back");
    assert_eq!(waited(1, 40), 40 * SECOND, "set forward");
}

#[test]
fn another_wait_begins_anew() {
    let (began, now) = (wait_start(), Instant::now());
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    overlap.waited(began, began, now);
    let later = began + SignedDuration::from_mins(7);
    assert_eq!(
        overlap.waited(later, later, now + 420 * SECOND),
        Duration::ZERO
    );
}

#[test]
fn a_new_process_continues_a_wait_of_the_previous_one() {
    let (began, now) = (wait_start(), Instant::now());
    let wall = began + SignedDuration::from_mins(4);
    let mut overlap = Overlap::default();
    overlap.wait(since(2), Duration::ZERO, now);
    assert_eq!(overlap.waited(began, wall, now), 240 * SECOND);
    let soon = now + 61 * SECOND;
    assert_eq!(overlap.waited(began, wall, soon), 301 * SECOND);
    // The clock was set back before the start: the wait begins now.
    let mut overlap = Overlap::default();
    let before = began - SignedDuration::from_hours(1);
    overlap.wait(since(2), Duration::ZERO, now);
    assert_eq!(overlap.waited(began, before, now), Duration::ZERO);
}

#[test]
fn the_result_of_a_check_is_kept_until_another_publication() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    for (publication, known) in [(2, None), (2, Some(Own::Held)), (3, None)] {
        overlap.wait(since(publication), Duration::ZERO, now);
        assert_eq!(overlap.own(), known);
        overlap.saw(Some(Own::Held));
        assert_eq!(overlap.own(), Some(Own::Held));
    }
}
