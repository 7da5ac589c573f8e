//! The state of a resource in memory: timers, rejections, restores.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use crate::{
    api::{Settling, StaticAwsCredentialsStatus},
    domain::{
        decide::{Because, Cause, DueState, Requeue},
        reconcile::RuntimeState,
    },
};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

fn refused_since(second: i64, suffix: &str) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        settling: Some(Settling {
            since: Time(wall(second)),
            key_id_suffix: suffix.to_owned(),
        }),
        ..StaticAwsCredentialsStatus::default()
    }
}

fn wall(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_timer_is_undecided_then_later_then_now() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    assert_eq!(
        (remembered.due(now), remembered.pause(now)),
        (DueState::Undecided, None)
    );
    remembered.schedule(Requeue::In(MINUTE, Because::Interval), now);
    assert_eq!(
        (remembered.due(now), remembered.pause(now)),
        (DueState::Later, Some((MINUTE, Cause::Verification)))
    );
    let later = now + SECOND * 59;
    assert_eq!(
        (remembered.due(later), remembered.pause(later)),
        (DueState::Later, Some((SECOND, Cause::Verification)))
    );
    let late = now + MINUTE * 2;
    assert_eq!(
        (remembered.due(late), remembered.pause(late)),
        (DueState::Now, Some((Duration::ZERO, Cause::Verification)))
    );
}

#[test]
fn keep_keeps_and_never_forgets() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    remembered.schedule(Requeue::Keep, now);
    assert_eq!(remembered.due(now), DueState::Undecided);
    remembered.schedule(Requeue::In(MINUTE, Because::Interval), now);
    remembered.schedule(Requeue::Keep, now + SECOND);
    assert_eq!(remembered.pause(now), Some((MINUTE, Cause::Verification)));
    remembered.schedule(Requeue::Never, now);
    assert_eq!(
        (remembered.due(now + MINUTE * 9), remembered.pause(now)),
        (DueState::Never, None)
    );
}

#[test]
fn a_refusal_that_this_process_saw_is_measured_by_its_own_clock() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    remembered.refusal_began("ABCD", now);
    let status = refused_since(1_000, "ABCD");
    for clock in [0, 1_000, 9_999_999] {
        let refused = remembered.refused_for(&status, wall(clock), now + SECOND * 7);
        assert_eq!(refused, Some(SECOND * 7));
    }
}

#[test]
fn a_refusal_of_an_earlier_process_is_taken_from_the_wall_clock_once() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    let status = refused_since(1_000, "ABCD");
    assert_eq!(
        remembered.refused_for(&status, wall(1_040), now),
        Some(SECOND * 40)
    );
    // Then the clock is set back, and later forward.
    let after = now + SECOND * 5;
    assert_eq!(
        remembered.refused_for(&status, wall(0), after),
        Some(SECOND * 45)
    );
    assert_eq!(
        remembered.refused_for(&status, wall(99_999), after),
        Some(SECOND * 45)
    );
}

#[test]
fn a_refusal_from_the_future_counts_as_one_from_now() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    let status = refused_since(1_000, "ABCD");
    assert_eq!(
        remembered.refused_for(&status, wall(400), now),
        Some(Duration::ZERO)
    );
    let later = now + MINUTE;
    assert_eq!(
        remembered.refused_for(&status, wall(460), later),
        Some(MINUTE)
    );
}

#[test]
fn a_refusal_of_another_key_is_another() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    remembered.refusal_began("ABCD", now);
    let status = refused_since(1_000, "WXYZ");
    let refused = remembered.refused_for(&status, wall(1_003), now + MINUTE);
    assert_eq!(refused, Some(SECOND * 3));
    let nothing = StaticAwsCredentialsStatus::default();
    assert_eq!(remembered.refused_for(&nothing, wall(0), now), None);
}

#[test]
fn the_first_restores_are_at_once_and_then_each_waits_longer_up_to_five_minutes() {
    let mut now = Instant::now();
    let mut remembered = RuntimeState::default();
    let mut waits = Vec::new();
    for _ in 0..10 {
        let wait = remembered.restore_wait(now);
        waits.push(wait.map_or(0, |wait| wait.as_secs()));
        now += wait.unwrap_or_default();
        assert_eq!(remembered.restore_wait(now), None);
        remembered.restored(now);
    }
    assert_eq!(waits, [0, 0, 0, 5, 10, 20, 40, 80, 160, 300]);
}

#[test]
fn ten_quiet_minutes_make_restores_quick_again() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    for _ in 0..5 {
        remembered.restored(now);
    }
    assert!(remembered.restore_wait(now).is_some());
    let later = now + MINUTE * 10 + SECOND;
    remembered.restored(later);
    assert_eq!(remembered.restore_wait(later), None);
}

#[test]
fn a_store_that_went_back_makes_it_forget_once() {
    let now = Instant::now();
    let mut remembered = RuntimeState::default();
    remembered.reset_if_stale(0);
    remembered.failures.credentials = 3;
    remembered.schedule(Requeue::In(MINUTE, Because::Interval), now);
    remembered.reset_if_stale(0);
    assert_eq!(
        (remembered.failures.credentials, remembered.due(now)),
        (3, DueState::Later)
    );
    remembered.reset_if_stale(1);
    let forgot = (remembered.failures.credentials, remembered.due(now));
    assert_eq!(forgot, (0, DueState::Undecided));
    remembered.failures.credentials = 2;
    remembered.reset_if_stale(1);
    assert_eq!(remembered.failures.credentials, 2);
}
