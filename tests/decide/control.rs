//! Before a rejection of a published pair counts, another pair that the endpoint accepted is sent to it.

use std::time::Duration;

use static_aws_credentials::api::{ConditionType, OnRejected, Reason};

use crate::sim::{SOURCE, World, alpha, beta, foreign_account, resource};

const DOUBTED: &str =
    "Ready=True Published, Verified=Unknown MassRejection, Published=True Published";
const KEPT: &str = "Ready=False AccessKeyUnknown, Verified=False AccessKeyUnknown, Published=True Published, Stalled";

/// `orders` with the pair `alpha`, and `second` with one of another account.
fn two_accounts(on_rejected: OnRejected) -> World {
    let mut world = World::published_with(|spec| spec.validation.on_rejected = on_rejected);
    world.fill("second-key-pair", &foreign_account());
    let mut second = resource("second");
    second.spec.validation.on_rejected = on_rejected;
    world.store.apply(second);
    world.settle();
    world
}

fn asked_about(world: &World, id: &str) -> usize {
    world
        .aws
        .asked
        .iter()
        .filter(|asked| asked.id == id)
        .count()
}

#[test]
fn a_refusal_counts_if_a_pair_of_another_account_is_accepted_meanwhile() {
    for replaced in [false, true] {
        let mut world = two_accounts(OnRejected::Withdraw);
        world.endpoint_replaced = replaced;
        world.aws.deactivate(&alpha());
        world.advance(Duration::from_hours(2));
        assert_eq!(world.target(), None);
        assert!(world.state().contains("Published=False Withdrawn"));
        assert!(world.state_of("second").starts_with("Ready=True"));
        let elsewhere = |asked: &crate::sim::Asked| asked.region != "eu-west-1";
        assert_eq!(world.aws.asked.iter().any(elsewhere), !replaced);
    }
}

/// With a long interval, accounts are checked at different times, so each rejection looks like the only one.
#[test]
fn refusals_of_all_accounts_never_count_however_far_apart_they_are_seen() {
    for policy in [OnRejected::Withdraw, OnRejected::Keep] {
        let mut world = two_accounts(policy);
        world.jitter = 0.0;
        world.advance(Duration::from_mins(30));
        for pair in [alpha(), foreign_account()] {
            world.aws.deactivate(&pair);
        }
        world.advance(Duration::from_hours(30));
        assert_eq!(world.target(), Some(alpha()));
        assert_eq!(world.pair_in("second-credentials"), Some(foreign_account()));
        assert_eq!(world.state(), DOUBTED);
        assert_eq!(world.state_of("second"), DOUBTED);
        world.restart();
        world.advance(Duration::from_hours(3));
        assert_eq!(world.state(), DOUBTED);
        world.aws.activate(&foreign_account());
        world.advance(Duration::from_hours(3));
        assert!(world.state_of("second").contains("Verified=True"));
        let withdrawn = policy == OnRejected::Withdraw;
        assert_eq!(world.target().is_none(), withdrawn, "one was to blame");
    }
}

#[test]
fn a_control_question_without_an_answer_confirms_nothing() {
    let mut world = two_accounts(OnRejected::Withdraw);
    world.aws.deactivate(&alpha());
    let due = world.next_look("orders").unwrap();
    world.advance(due);
    assert!(world.state().contains("RejectionUnconfirmed"));
    world
        .aws
        .silent
        .insert(foreign_account().id, Reason::StsUnreachable);
    world.advance(Duration::from_mins(10));
    assert_eq!(world.state(), DOUBTED);
    assert!(world.message(ConditionType::Verified).contains("no answer"));
    world.aws.silent.clear();
    world.advance(Duration::from_hours(1));
    assert_eq!(world.target(), None);
}

#[test]
fn refusals_of_several_pairs_of_one_account_are_believed() {
    let mut world = World::published_with(|spec| {
        spec.validation.on_rejected = OnRejected::Withdraw;
    });
    world.fill("second-key-pair", &beta());
    world.store.apply(resource("second"));
    world.settle();
    for pair in [alpha(), beta()] {
        world.aws.deactivate(&pair);
    }
    let due = world.next_look("orders").unwrap();
    world.advance(due + Duration::from_mins(2));
    assert_eq!(world.target(), None);
}

#[test]
fn behind_a_replaced_endpoint_a_pair_without_another_to_ask_about_is_refused_and_not_withdrawn() {
    let mut world = World::published_with(|spec| {
        spec.validation.on_rejected = OnRejected::Withdraw;
    });
    world.endpoint_replaced = true;
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(5));
    assert_eq!(world.state(), KEPT);
    assert_eq!(world.target(), Some(alpha()));
    let message = world.message(ConditionType::Verified);
    assert!(message.contains("the target is kept"), "{message}");

    world.fill("second-key-pair", &foreign_account());
    world.store.apply(resource("second"));
    world.advance(Duration::from_hours(2));
    assert_eq!(world.target(), None, "now there is one, and it is accepted");
}

#[test]
fn what_counted_once_under_keep_is_not_questioned_again() {
    let mut world = two_accounts(OnRejected::Keep);
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(2));
    assert_eq!(world.state(), KEPT);
    world.aws.asked.clear();
    world.advance(Duration::from_hours(5));
    let own = asked_about(&world, &foreign_account().id);
    assert!(own <= 6, "{own} questions, one each interval for itself");
    assert_eq!(world.state(), KEPT);
}

#[test]
fn a_refused_pair_that_was_never_published_needs_no_control() {
    let mut world = two_accounts(OnRejected::Withdraw);
    world.aws.deactivate(&beta());
    world.aws.deactivate(&foreign_account());
    world.fill(SOURCE, &beta());
    world.advance(Duration::from_mins(2));
    assert!(world.state().starts_with("Ready=False AccessKeyUnknown"));
    assert_eq!(world.target(), Some(alpha()));
}
