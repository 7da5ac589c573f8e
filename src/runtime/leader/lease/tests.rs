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

const IDENTITY: &str = "me";

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
    match observed.next(IDENTITY, now, Timestamp::now()) {
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
fn a_lease_without_a_holder_is_acquired_at_once() {
    for holder in [None, Some("")] {
        let now = Instant::now();
        let observed = Observed::after(None, lease("1", holder, Some(3600)), now);
        let written = next(&observed, now).expect("a write");
        assert_eq!(written.metadata.resource_version.as_deref(), Some("1"));
        let spec = spec(written);
        assert_eq!(spec.holder_identity.as_deref(), Some(IDENTITY));
        assert_eq!(spec.lease_transitions, Some(5));
        assert_eq!(spec.lease_duration_seconds, Some(15));
        assert!(spec.acquire_time.is_some() && spec.renew_time.is_some());
    }
}

#[test]
fn the_lease_of_another_replica_is_acquired_only_after_it_has_not_changed_for_its_duration() {
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
fn a_lease_that_was_deleted_and_created_again_is_waited_for_anew() {
    let began = Instant::now();
    let observed = Observed::after(None, lease("1", Some("other"), Some(15)), began);
    let mut again = lease("1", Some("other"), Some(15));
    again.metadata.uid = Some("another uid".to_owned());
    let later = began + Duration::from_secs(14);
    let observed = Observed::after(Some(observed), again, later);
    assert!(next(&observed, later + Duration::from_secs(14)).is_none());
}

#[test]
fn a_nonsensical_duration_stops_no_replica_for_long() {
    for seconds in [None, Some(0), Some(-1), Some(i32::MAX)] {
        let began = Instant::now();
        let observed = Observed::after(None, lease("1", Some("other"), seconds), began);
        let minute = began + Duration::from_mins(1);
        assert!(next(&observed, minute).is_some(), "{seconds:?}");
    }
}

#[test]
fn a_renewal_keeps_the_acquire_time_and_the_transitions() {
    let began = Instant::now();
    let mut held = lease("7", Some(IDENTITY), Some(15));
    let acquired = first("lease", IDENTITY, Timestamp::UNIX_EPOCH).spec;
    held.spec = acquired;
    let observed = Observed::after(None, held, began);
    assert!(observed.is_held_by(IDENTITY) && !observed.is_held_by("other"));
    let written = next(&observed, began + RETRY_PERIOD).expect("a write");
    assert_eq!(written.metadata.resource_version.as_deref(), Some("7"));
    let spec = spec(written);
    assert_eq!(spec.holder_identity.as_deref(), Some(IDENTITY));
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
fn a_released_lease_is_free_at_once_and_keeps_its_transitions() {
    let now = Instant::now();
    let observed = Observed::after(None, lease("1", Some("other"), Some(15)), now);
    let mut released = observed.released(Timestamp::now());
    assert_eq!(released.metadata.resource_version.as_deref(), Some("1"));
    released.metadata.resource_version = Some("2".to_owned());
    let observed = Observed::after(Some(observed), released, now);
    assert_eq!(observed.holder(), None);
    let acquired = spec(next(&observed, now).expect("a write"));
    assert_eq!(acquired.lease_transitions, Some(5));
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
fn the_first_lease_is_held_by_its_writer() {
    let created = first("lease", IDENTITY, Timestamp::now());
    assert_eq!(created.metadata.name.as_deref(), Some("lease"));
    assert_eq!(created.metadata.resource_version, None);
    assert!(Observed::after(None, created, Instant::now()).is_held_by(IDENTITY));
}
