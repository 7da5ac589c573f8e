//! The rules of the lease, on a clock that the test controls.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use crate::runtime::leader::lease::{
    LEASE_DURATION, Observed, RENEW_DEADLINE, RETRY_PERIOD, Step, first,
};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    jiff::Timestamp,
};
use tokio::time::Instant;

const ME: &str = "me";

fn lease(version: &str, holder: Option<&str>, seconds: Option<i32>) -> Lease {
    let mut lease = first("lease", "", Timestamp::UNIX_EPOCH);
    lease.metadata.resource_version = Some(version.to_owned());
    lease.metadata.uid = Some("uid".to_owned());
    lease.spec = Some(LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: seconds,
        lease_transitions: Some(4),
        ..LeaseSpec::default()
    });
    lease
}

fn next(observed: &Observed, now: Instant) -> Option<Lease> {
    match observed.next(ME, now, Timestamp::now()) {
        Step::Write(lease) => Some(*lease),
        Step::Wait => None,
    }
}

fn spec(lease: Lease) -> LeaseSpec {
    lease.spec.expect("a spec")
}

#[test]
fn a_holder_stops_long_before_another_may_begin() {
    assert!(RENEW_DEADLINE + 2 * RETRY_PERIOD < LEASE_DURATION);
}

#[test]
fn a_lease_that_nobody_holds_is_taken_at_once() {
    for holder in [None, Some("")] {
        let now = Instant::now();
        let observed = Observed::after(None, lease("1", holder, Some(3600)), now);
        let written = next(&observed, now).expect("a write");
        assert_eq!(written.metadata.resource_version.as_deref(), Some("1"));
        let spec = spec(written);
        assert_eq!(spec.holder_identity.as_deref(), Some(ME));
        assert_eq!(spec.lease_transitions, Some(5));
        assert_eq!(spec.lease_duration_seconds, Some(15));
        assert!(spec.acquire_time.is_some() && spec.renew_time.is_some());
    }
}

#[test]
fn anothers_lease_is_taken_only_after_it_has_not_changed_for_its_duration() {
    let began = Instant::now();
    let mut observed = Observed::after(None, lease("1", Some("other"), Some(15)), began);
    for second in 1..15 {
        let now = began + Duration::from_secs(second);
        observed = Observed::after(Some(observed), lease("1", Some("other"), Some(15)), now);
        assert!(next(&observed, now).is_none(), "after {second} s");
    }
    let now = began + Duration::from_secs(15);
    assert!(next(&observed, now).is_some());
}

#[test]
fn a_renewed_lease_is_waited_for_anew() {
    let began = Instant::now();
    let observed = Observed::after(None, lease("1", Some("other"), Some(15)), began);
    let later = began + Duration::from_secs(14);
    let observed = Observed::after(Some(observed), lease("2", Some("other"), Some(15)), later);
    assert!(next(&observed, later + Duration::from_secs(14)).is_none());
    assert!(next(&observed, later + Duration::from_secs(15)).is_some());
}

#[test]
fn a_lease_that_was_deleted_and_made_again_is_waited_for_anew() {
    let began = Instant::now();
    let observed = Observed::after(None, lease("1", Some("other"), Some(15)), began);
    let mut again = lease("1", Some("other"), Some(15));
    again.metadata.uid = Some("another uid".to_owned());
    let later = began + Duration::from_secs(14);
    let observed = Observed::after(Some(observed), again, later);
    assert!(next(&observed, later + Duration::from_secs(14)).is_none());
}

#[test]
fn a_nonsensical_duration_stops_nobody_for_long() {
    for seconds in [None, Some(0), Some(-1), Some(i32::MAX)] {
        let began = Instant::now();
        let observed = Observed::after(None, lease("1", Some("other"), seconds), began);
        let minute = began + Duration::from_mins(1);
        assert!(next(&observed, minute).is_some(), "{seconds:?}");
    }
}

#[test]
fn a_holder_renews_and_stays_what_it_was() {
    let began = Instant::now();
    let mut held = lease("7", Some(ME), Some(15));
    let acquired = first("lease", ME, Timestamp::UNIX_EPOCH).spec;
    held.spec = acquired;
    let observed = Observed::after(None, held, began);
    assert!(observed.is_held_by(ME) && !observed.is_held_by("other"));
    let written = next(&observed, began + RETRY_PERIOD).expect("a write");
    assert_eq!(written.metadata.resource_version.as_deref(), Some("7"));
    let spec = spec(written);
    assert_eq!(spec.holder_identity.as_deref(), Some(ME));
    assert_eq!(spec.lease_transitions, Some(0));
    assert_eq!(
        spec.acquire_time.map(|time| time.0),
        Some(Timestamp::UNIX_EPOCH)
    );
    assert_ne!(
        spec.renew_time.map(|time| time.0),
        Some(Timestamp::UNIX_EPOCH)
    );
}

#[test]
fn a_lease_that_is_given_back_is_free_at_once_and_keeps_its_count() {
    let now = Instant::now();
    let observed = Observed::after(None, lease("1", Some("other"), Some(15)), now);
    let mut released = observed.released(Timestamp::now());
    assert_eq!(released.metadata.resource_version.as_deref(), Some("1"));
    released.metadata.resource_version = Some("2".to_owned());
    let observed = Observed::after(Some(observed), released, now);
    assert_eq!(observed.holder(), None);
    let taken = spec(next(&observed, now).expect("a write"));
    assert_eq!(taken.lease_transitions, Some(5));
}

#[test]
fn a_lease_without_a_spec_is_free() {
    let now = Instant::now();
    let mut empty = lease("1", None, None);
    empty.spec = None;
    let observed = Observed::after(None, empty, now);
    assert!(next(&observed, now).is_some());
}

#[test]
fn the_first_lease_is_the_writers() {
    let made = first("lease", ME, Timestamp::now());
    assert_eq!(made.metadata.name.as_deref(), Some("lease"));
    assert_eq!(made.metadata.resource_version, None);
    assert!(Observed::after(None, made, Instant::now()).is_held_by(ME));
}
