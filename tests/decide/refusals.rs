//! Pairs that AWS rejects.

use std::{cell::RefCell, time::Duration};

use crate::sim::{SOURCE, World, alpha, resource};
use static_aws_credentials::{
    api::ConditionType,
    domain::decide::{self, Inputs as Known, Step},
};

thread_local! {
    /// Whether a write of the target waits for the answer, for each request so far.
    static URGENT: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

/// Decides, and notes the urgency of a request.
fn noted(known: &Known<'_>) -> Step {
    let step = decide::decide(known);
    if let Step::Ask(query) = &step {
        URGENT.with_borrow_mut(|all| all.push(query.new_pair));
    }
    step
}

#[test]
fn an_unknown_new_pair_settles_for_a_minute_with_fifteen_questions() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.settle();
    assert_eq!(
        world.state(),
        "Ready=False Settling, Verified=Unknown Settling, Published=False NotPublished, Reconciling"
    );
    world.advance(Duration::from_mins(2));
    let times: Vec<u64> = world
        .aws
        .asked
        .iter()
        .map(|asked| asked.at.as_secs())
        .collect();
    assert!(times.len() <= 15, "{times:?}");
    assert_eq!(
        times,
        [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 30, 40, 50, 60]
    );
    assert_eq!(
        world.state(),
        "Ready=False AccessKeyUnknown, Verified=False AccessKeyUnknown, Published=False NotPublished, Stalled"
    );
    let statuses = world
        .log
        .iter()
        .filter(|request| *request == "status orders");
    assert_eq!(statuses.count(), 2, "settling, then the verdict");
}

#[test]
fn a_pair_that_becomes_known_while_it_settles_is_published_within_two_seconds() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.advance(Duration::from_secs(7));
    world.aws.activate(&alpha());
    world.advance(Duration::from_secs(2));
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.status().settling, None);
}

#[test]
fn a_restart_does_not_make_a_pair_settle_longer() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.advance(Duration::from_secs(31));
    world.restart();
    world.advance(Duration::from_secs(30));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
    assert!(world.questions() <= 16);
}

#[test]
fn a_touched_source_does_not_make_a_pair_settle_again() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.advance(Duration::from_mins(2));
    let since = world.status().settling;
    let before = world.questions();
    world.store.edit(SOURCE, |secret| {
        secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    });
    world.advance(Duration::from_mins(2));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
    assert_eq!(world.status().settling, since);
    assert!(
        world.questions() <= before + 1,
        "{} questions",
        world.questions() - before
    );
}

/// IAM can reactivate a key. AWS may also know a new key only after some minutes, so the first calls come soon.
#[test]
fn a_refused_pair_is_asked_about_soon_and_then_each_interval() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.advance(Duration::from_mins(2));
    let before = world.questions();
    world.advance(Duration::from_mins(28));
    assert_eq!(world.questions(), before + 2);
    world.advance(Duration::from_hours(6));
    assert_eq!(world.questions(), before + 2 + 6);
    world.aws.activate(&alpha());
    world.advance(Duration::from_mins(70));
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_key_that_takes_two_minutes_to_be_known_is_not_kept_waiting_for_an_interval_of_a_week() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    let mut orders = resource("orders");
    orders.spec.validation.interval = "168h".to_owned();
    world.store.apply(orders);
    world.advance(Duration::from_mins(2));
    assert!(world.state().starts_with("Ready=False AccessKeyUnknown"));
    world.aws.activate(&alpha());
    world.advance(Duration::from_mins(4));
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_published_pair_is_refused_only_after_two_answers_a_minute_apart() {
    let mut world = World::published();
    world.aws.deactivate(&alpha());
    let pause = world.next_look("orders").unwrap();
    world.advance(pause);
    assert_eq!(
        world.state(),
        "Ready=True Published, Verified=Unknown RejectionUnconfirmed, Published=True Published"
    );
    world.advance(Duration::from_secs(58));
    assert!(world.state().starts_with("Ready=True"));
    world.advance(Duration::from_secs(2));
    assert_eq!(
        world.state(),
        "Ready=False AccessKeyUnknown, Verified=False AccessKeyUnknown, Published=True Published, Stalled"
    );
    assert_eq!(world.target(), Some(alpha()), "Keep is the default");
    assert_eq!(world.questions(), 3);
}

/// AWS rejects an unusual pair, and its unusual form is the likeliest cause.
#[test]
fn a_refusal_tells_what_is_odd_about_the_pair() {
    for secret in [
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM",
        "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        "abcdefghijklmnopqrst%2FvwxyzABCDEFGHIJKLMN",
        "abcdefghijklmnopqrst uvwxyzABCDEFGHIJKLMN",
    ] {
        let mut world = World::new();
        let mut pair = alpha();
        secret.clone_into(&mut pair.secret);
        world.fill(SOURCE, &pair);
        world.store.apply(resource("orders"));
        world.settle();
        assert!(world.state().starts_with("Ready=False SignatureMismatch"));
        for kind in [ConditionType::Ready, ConditionType::Verified] {
            let message = world.message(kind);
            assert!(message.contains("does not look like a secret"), "{message}");
            assert!(!message.contains(secret), "{message}");
        }
    }
}

/// As a line `KEY=value # prod` in a file of variables leaves it: the comment is the cause, and not the layout.
#[test]
fn a_layout_that_cannot_carry_a_pair_tells_what_is_odd_about_the_pair() {
    let mut world = World::new();
    let mut pair = alpha();
    pair.secret.push_str(" # prod");
    world.fill(SOURCE, &pair);
    world.store.apply(resource("orders"));
    world.settle();
    assert!(world.state().starts_with("Ready=False LayoutCannotCarry"));
    let message = world.message(ConditionType::Ready);
    assert!(message.contains("it holds a comment"), "{message}");
    assert!(world.aws.asked.is_empty());
}

#[test]
fn the_scheduled_check_of_a_refused_pair_is_not_urgent_and_that_of_a_touched_source_is() {
    let mut world = World::new();
    world.decide = noted;
    world.fill(SOURCE, &alpha().with_wrong_secret());
    world.store.apply(resource("orders"));
    world.settle();
    assert_eq!(URGENT.take(), [true], "a new pair");
    world.advance(Duration::from_mins(70));
    assert_eq!(URGENT.take(), [false], "the interval");
    world.store.edit(SOURCE, |secret| {
        secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    });
    world.settle();
    assert_eq!(URGENT.take(), [true], "a touched source");
}
