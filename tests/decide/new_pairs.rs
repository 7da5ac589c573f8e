//! Another pair in the source of a published one.

use std::time::Duration;

use crate::sim::{SOURCE, World, alpha, beta};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

#[test]
fn a_new_good_pair_replaces_the_old_one_in_one_write() {
    let mut world = World::published();
    world.fill(SOURCE, &beta());
    world.settle_twice();
    assert_eq!(world.target(), Some(beta()));
    assert_eq!(world.state(), READY);
    assert_eq!(
        world.requests(),
        "get orders-key-pair, ask eu-west-1, replace orders-credentials, status orders"
    );
    let status = world.status();
    assert_eq!(status.published.unwrap().revision, 2);
    assert_eq!(status.identity.unwrap().arn, beta().arn);
}

#[test]
fn going_back_to_the_pair_before_costs_one_question_at_most() {
    let mut world = World::published();
    for pair in [beta(), alpha(), beta()] {
        let before = world.questions();
        world.fill(SOURCE, &pair);
        world.settle_twice();
        assert_eq!(world.target(), Some(pair));
        assert!(world.questions() <= before + 1);
    }
    assert_eq!(world.status().published.unwrap().revision, 4);
}

/// The lost response is that of the target, which ends the reconcile, or that of the status.
#[test]
fn a_rotation_and_back_reaches_the_target_whichever_answer_is_lost_between() {
    for lost in 0..2 {
        let mut world = World::published();
        world.fill(SOURCE, &beta());
        while world.deliver() {}
        world.faults.lose_after = Some(lost);
        world.run("orders");
        assert_eq!(world.target(), Some(beta()));
        assert!(world.faults.lose_after.is_none());
        world.fill(SOURCE, &alpha());
        world.settle_twice();
        assert_eq!(
            world.target(),
            Some(alpha()),
            "{lost}: {}",
            world.requests()
        );
        assert_eq!(
            world.status().published.unwrap().key_id_suffix,
            alpha().suffix()
        );
    }
}

#[test]
fn a_new_bad_pair_leaves_the_last_good_one_and_its_interval_proofs_pause() {
    let mut world = World::published();
    world.fill(SOURCE, &beta().with_wrong_secret());
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=False SignatureMismatch, Verified=False SignatureMismatch, Published=True ServingLastKnownGood, Stalled"
    );
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.status().identity.unwrap().arn, alpha().arn);
    assert_eq!(
        world.requests(),
        "get orders-key-pair, ask eu-west-1, status orders"
    );
    world.aws.asked.clear();
    world.advance(Duration::from_hours(5));
    let of_published = |asked: &&crate::sim::Asked| asked.id == alpha().id;
    assert_eq!(world.aws.asked.iter().filter(of_published).count(), 0);
    // The rejected pair is sent to STS each interval, and nothing is written meanwhile.
    assert_eq!(world.questions(), 5);
    assert!(!world.requests().contains("status"));
}

#[test]
fn a_right_id_with_a_wrong_secret_inherits_no_proof() {
    let mut world = World::published();
    world.fill(SOURCE, &alpha().with_wrong_secret());
    world.settle_twice();
    assert_eq!(world.questions(), 2);
    assert_eq!(world.target(), Some(alpha()));
    assert!(world.state().starts_with("Ready=False SignatureMismatch"));
}

#[test]
fn withdraw_does_not_act_on_a_bad_pair_that_was_never_published() {
    let mut world = World::published_with(|spec| {
        spec.validation.on_rejected = static_aws_credentials::api::OnRejected::Withdraw;
    });
    world.aws.deactivate(&beta());
    world.fill(SOURCE, &beta());
    world.advance(Duration::from_hours(3));
    assert_eq!(world.target(), Some(alpha()));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
}
