//! What `/livez` and `/readyz` are made from, on a clock of the test's own.

use std::time::Duration;

use static_aws_credentials::health::{Dependency, Health};

const MINUTE: Duration = Duration::from_secs(61);

#[tokio::test(start_paused = true)]
async fn a_loop_that_does_not_turn_is_stuck_after_a_minute() {
    let health = Health::default();
    assert!(health.is_alive());
    tokio::time::advance(MINUTE).await;
    assert!(!health.is_alive());
    let words = "the main loop has not turned for 60 s\n";
    assert!(health.problems().contains(words), "{}", health.problems());
    health.turned();
    assert!(health.is_alive() && !health.problems().contains(words));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_has_ceased_to_stand_for_election_is_stuck() {
    let health = Health::default();
    let lease = Dependency::new("lease aws/operator".to_owned());
    health.needs(lease.clone());
    for works in [true, false] {
        tokio::time::advance(MINUTE).await;
        health.turned();
        assert!(!health.is_alive());
        if works {
            lease.works();
        } else {
            lease.failed("the API server does not answer".to_owned());
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
    let lease = Dependency::new("lease aws/operator".to_owned());
    health.needs(lease.clone());
    lease.failed("not allowed".to_owned());
    let words = "the lease aws/operator fails: not allowed\n";
    assert!(health.problems().contains(words), "{}", health.problems());
    lease.works();
    assert!(!health.problems().contains("lease"));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_is_not_ready() {
    let health = Health::default();
    assert!(health.problems().contains("the process is starting"));
    health.stop();
    assert!(health.problems().contains("the process is stopping"));
}
