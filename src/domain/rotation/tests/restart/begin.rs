//! What begins restarts, and what ends them early.

use crate::{
    api::StaticAwsCredentialsStatus,
    domain::rotation::{
        restart,
        tests::{DELIVERED, KUBELET, PUBLISHED, time},
    },
};

use super::{after_publication, condition, has_condition, restart_policy, status, under_way};

#[test]
fn restarts_begin_with_another_pair_and_with_nothing_else() {
    let begun = after_publication(&status(1), 2);
    let restarts = begun.restarts.clone().unwrap();
    assert_eq!((restarts.revision, restarts.pending), (2, None));
    let (truth, reason, message) = condition(&begun);
    assert_eq!((truth, reason), ("Unknown", "RestartsPending"));
    assert!(message.contains(DELIVERED), "{message}");

    let first = after_publication(&StaticAwsCredentialsStatus::default(), 1);
    assert!(
        first.restarts.is_none() && !has_condition(&first),
        "the first pair"
    );
    let same = after_publication(&status(2), 2);
    assert!(
        same.restarts.is_none() && !has_condition(&same),
        "the same pair"
    );
    assert_eq!(after_publication(&begun, 2), begun, "a later run");
}

#[test]
fn restarts_end_when_the_spec_drops_them_or_the_pair_is_withdrawn() {
    let begun = after_publication(&status(1), 2);
    let mut after = begun.clone();
    restart::note(&begun, &mut after, None, true, KUBELET, time(PUBLISHED));
    assert!(after.restarts.is_none() && !has_condition(&after));
    let mut withdrawn = StaticAwsCredentialsStatus {
        published: None,
        ..begun.clone()
    };
    restart::note(
        &begun,
        &mut withdrawn,
        Some(&restart_policy()),
        true,
        KUBELET,
        time(PUBLISHED),
    );
    assert!(withdrawn.restarts.is_none() && !has_condition(&withdrawn));
}

#[test]
fn without_the_right_the_condition_is_unknown_and_nothing_begins() {
    let mut after = status(2);
    restart::note(
        &status(1),
        &mut after,
        Some(&restart_policy()),
        false,
        KUBELET,
        time(PUBLISHED),
    );
    assert!(after.restarts.is_none());
    let (truth, reason, message) = condition(&after);
    assert_eq!((truth, reason), ("Unknown", "RestartsNotAllowed"));
    assert!(message.contains("rotation.restart.enabled"), "{message}");
}

#[test]
fn workloads_that_a_rotation_leaves_unhealthy_are_carried_over() {
    let before = under_way(&["Deployment/unhealthy"], Some(&["Deployment/b"]));
    let after = after_publication(&before, 3);
    let restarts = after.restarts.unwrap();
    assert_eq!(restarts.revision, 3);
    assert_eq!(restarts.restarting, ["Deployment/unhealthy"]);
    assert_eq!((restarts.pending, restarts.restarted), (None, 0));
}
