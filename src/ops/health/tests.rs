//! The inputs of `/livez` and `/readyz`, on a clock that the test controls.

use std::{sync::Arc, time::Duration};

use crate::ops::{
    health::{Health, HealthCheck, Trouble, explain},
    sync_state::SyncState,
};
use kube::{core::Status, runtime::watcher};
use tokio::sync::watch;

const MINUTE: Duration = Duration::from_secs(61);

#[tokio::test(start_paused = true)]
async fn a_loop_that_does_not_turn_is_stuck_after_a_minute() {
    let health = Health::default();
    assert!(health.is_alive());
    tokio::time::advance(MINUTE).await;
    assert!(!health.is_alive());
    let words = "the main loop has made no progress for 60 s\n";
    assert!(health.problems().contains(words), "{}", health.problems());
    health.heartbeat();
    assert!(health.is_alive() && !health.problems().contains(words));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_has_ceased_to_stand_for_election_is_stuck() {
    let health = Health::default();
    let lease = HealthCheck::new("lease aws/operator".to_owned());
    health.add_check(lease.clone());
    for succeeds in [true, false] {
        tokio::time::advance(MINUTE).await;
        health.heartbeat();
        assert!(!health.is_alive());
        if succeeds {
            lease.record_ok();
        } else {
            lease.record_error("the API server does not answer".to_owned());
        }
        assert!(
            health.is_alive(),
            "a lease that was tried is no reason to restart"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_fails_is_named_and_forgotten_when_it_works_again() {
    let health = Health::default();
    let lease = HealthCheck::new("lease aws/operator".to_owned());
    health.add_check(lease.clone());
    lease.record_error("not allowed".to_owned());
    let words = "the lease aws/operator fails: not allowed\n";
    assert!(health.problems().contains(words), "{}", health.problems());
    lease.record_ok();
    assert!(!health.problems().contains("lease"));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_is_not_ready() {
    let health = Health::default();
    assert!(health.problems().contains("the process is starting"));
    health.stop();
    assert!(health.problems().contains("the process is stopping"));
}

/// State that a scope reports: the progress of its lists, and its two watches.
struct WatchedScope {
    sync_state: watch::Sender<SyncState>,
    watches: [Arc<HealthCheck>; 2],
}

fn watched_scope(health: &Health, name: &str) -> WatchedScope {
    let (sync_state, receiver) = watch::channel(SyncState::Synced);
    let watches =
        ["resources", "Secrets"].map(|kind| HealthCheck::new(format!("watch of {kind} in {name}")));
    health.add(format!("namespace {name}"), receiver, watches.clone());
    WatchedScope {
        sync_state,
        watches,
    }
}

fn refused(code: u16) -> Trouble {
    let status = Status {
        code,
        message: "no such right".to_owned(),
        ..Status::default()
    };
    let error = kube::Error::Api(Box::new(status));
    explain(&watcher::Error::InitialListFailed(error))
}

/// Like after the deletion of one of several namespaces, whose Role is deleted with it.
#[test]
fn a_namespace_that_may_not_be_served_keeps_no_other_from_being_ready() {
    let health = Health::default();
    let (orders, billing) = (
        watched_scope(&health, "orders"),
        watched_scope(&health, "billing"),
    );
    assert_eq!(health.problems(), "");
    billing.watches[0].record_error(refused(403));
    billing.sync_state.send_replace(SyncState::Syncing);
    assert_eq!(health.problems(), "");
    let notes = health.notes();
    assert!(notes.contains("namespace billing is not served"), "{notes}");
    assert!(notes.contains("not allowed: no such right"), "{notes}");

    // Without a served namespace the process is not ready.
    orders.watches[1].record_error(refused(403));
    let problems = health.problems();
    assert!(
        problems.contains("orders") && problems.contains("billing"),
        "{problems}"
    );
    orders.watches[1].record_ok();
    assert_eq!(health.problems(), "");
    billing.watches[0].record_ok();
    assert!(
        health.problems().contains("waiting for the list"),
        "{}",
        health.problems()
    );
    billing.sync_state.send_replace(SyncState::Synced);
    assert_eq!(health.problems() + &health.notes(), "");
}

/// An API server that does not answer is not a problem of one namespace.
#[test]
fn a_namespace_whose_watch_fails_otherwise_counts() {
    let health = Health::default();
    let (_orders, billing) = (
        watched_scope(&health, "orders"),
        watched_scope(&health, "billing"),
    );
    for code in [401, 404, 500] {
        billing.watches[0].record_error(refused(code));
        assert!(health.problems().contains("billing"), "{code}");
    }
}

/// The message says that the API server answers, and names the object.
#[test]
fn a_secret_that_cannot_be_decrypted_is_named() {
    let path = "/registry/secrets/example/default-token-hk2cj";
    for message in [
        format!("unable to transform key \"{path}\": invalid padding on input"),
        format!(
            "unable to transform key \"{path}\": no matching key was found for the provided AES transformer"
        ),
    ] {
        let status = Status {
            code: 500,
            message,
            ..Status::default()
        };
        let error = kube::Error::Api(Box::new(status));
        let lease = HealthCheck::new("watch of Secrets in all namespaces".to_owned());
        lease.record_error(explain(&watcher::Error::InitialListFailed(error)));
        let health = Health::default();
        health.add_check(lease);
        let problems = health.problems();
        assert!(problems.contains("the API server answers"), "{problems}");
        assert!(problems.contains(path), "{problems}");
    }
}
