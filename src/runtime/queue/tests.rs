//! The order of the queue, at times that the test sets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod model;

use std::time::Duration;

use crate::{
    domain::{decide::Cause, index::NamespacedName},
    runtime::queue::{Action, Due, Outcome, Queue},
};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn key(namespace: &str, name: &str) -> NamespacedName {
    NamespacedName::new(namespace, name)
}

fn team(name: &str) -> NamespacedName {
    key("team", name)
}

fn requeue(pause: Duration) -> Action {
    Action::Requeue(pause, Cause::Verification)
}

/// A reconcile of the credentials that ended so.
fn ended(action: Action) -> Outcome {
    Outcome {
        credentials: Some(action),
        consumers: None,
    }
}

/// Enqueues the due resources, and takes the next one.
fn next(queue: &mut Queue, now: Instant) -> Option<NamespacedName> {
    queue.enqueue_due(now);
    queue.get(now, |_| true).map(|item| item.key)
}

fn all(queue: &mut Queue, now: Instant) -> Vec<NamespacedName> {
    std::iter::from_fn(|| next(queue, now)).collect()
}

/// A queue of one resource whose reconcile has ended.
fn after_reconcile(action: Action, now: Instant) -> Queue {
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), Cause::Change, now);
    next(&mut queue, now);
    queue.done(&team("one"), ended(action), now);
    queue
}

#[test]
fn an_enqueued_resource_is_served_once_in_the_order_of_arrival() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for name in ["one", "two", "one", "three", "two"] {
        queue.enqueue(&team(name), Cause::Change, now);
    }
    assert_eq!(queue.ready.len(), 3);
    assert_eq!(all(&mut queue, now), ["one", "two", "three"].map(team));
    assert_eq!(queue.ready.len(), 0);
}

#[test]
fn namespaces_are_served_in_turn() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for number in 0..1000 {
        queue.enqueue(&key("burst", &number.to_string()), Cause::Change, now);
    }
    queue.enqueue(&key("quiet", "one"), Cause::Change, now);
    let first: Vec<_> = (0..3).filter_map(|_| next(&mut queue, now)).collect();
    assert!(first.contains(&key("quiet", "one")), "{first:?}");
}

#[test]
fn namespaces_that_may_not_run_keep_their_resources() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for key in [team("one"), key("other", "two"), team("three")] {
        queue.enqueue(&key, Cause::Change, now);
    }
    let item = queue.get(now, |namespace| namespace != "team").unwrap();
    assert_eq!(item.key, key("other", "two"));
    assert_eq!(queue.get(now, |namespace| namespace != "team"), None);
    assert_eq!(all(&mut queue, now), ["one", "three"].map(team));
}

/// Runs the next resource, with these actions, and returns what was due.
fn run(queue: &mut Queue, now: Instant, credentials: Action, consumers: Action) -> Due {
    queue.enqueue_due(now);
    let item = queue.get(now, |_| true).unwrap();
    let outcome = Outcome {
        credentials: item.due.credentials.map(|_| credentials),
        consumers: Some(consumers),
    };
    queue.done(&item.key, outcome, now);
    item.due
}

#[test]
fn each_task_has_a_timer_of_its_own_with_its_cause() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), Cause::Change, now);
    let verification = Action::Requeue(60 * SECOND, Cause::Verification);
    let rotation = Action::Requeue(10 * SECOND, Cause::Rotation);
    let due = run(&mut queue, now, verification, rotation);
    assert_eq!(
        (due.credentials, due.consumers),
        (Some(Cause::Change), None)
    );
    let due = run(
        &mut queue,
        now + 10 * SECOND,
        verification,
        Action::Backoff(70 * SECOND),
    );
    assert_eq!(
        (due.credentials, due.consumers),
        (None, Some(Cause::Rotation))
    );
    assert_eq!(
        queue.next_deadline(),
        Some(now + 60 * SECOND),
        "the proof stays due"
    );
    let due = run(
        &mut queue,
        now + 60 * SECOND,
        Action::AwaitChange,
        Action::Backoff(SECOND),
    );
    assert_eq!(
        (due.credentials, due.consumers),
        (Some(Cause::Verification), None)
    );
    let due = run(
        &mut queue,
        now + 61 * SECOND,
        Action::AwaitChange,
        Action::AwaitChange,
    );
    assert_eq!((due.credentials, due.consumers), (None, Some(Cause::Retry)));
    assert!(queue.items.is_empty() && queue.timers.is_empty());
}

#[test]
fn two_tasks_that_are_due_at_once_are_one_reconcile() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), Cause::Change, now);
    let pause = Action::Requeue(SECOND, Cause::Rotation);
    run(
        &mut queue,
        now,
        Action::Requeue(SECOND, Cause::Verification),
        pause,
    );
    let due = run(
        &mut queue,
        now + SECOND,
        Action::AwaitChange,
        Action::AwaitChange,
    );
    let both = (Some(Cause::Verification), Some(Cause::Rotation));
    assert_eq!((due.credentials, due.consumers), both);
    assert_eq!(queue.get(now + SECOND, |_| true), None);
}

#[test]
fn only_the_failed_task_is_retried() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), Cause::Change, now);
    run(
        &mut queue,
        now,
        Action::AwaitChange,
        Action::Backoff(30 * SECOND),
    );
    assert_eq!(
        queue.enqueue_failed(now, |namespace| namespace == "other"),
        0
    );
    assert_eq!(
        queue.enqueue_failed(now, |namespace| namespace == "team"),
        1
    );
    let due = run(&mut queue, now, Action::AwaitChange, Action::AwaitChange);
    assert_eq!((due.credentials, due.consumers), (None, Some(Cause::Retry)));
}

#[test]
fn the_waiting_time_counts_from_the_first_enqueue() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), Cause::Change, now);
    queue.enqueue(&team("one"), Cause::Change, now + SECOND);
    let item = queue.get(now + 3 * SECOND, |_| true).unwrap();
    assert_eq!((item.key, item.waited), (team("one"), 3 * SECOND));
}

#[test]
fn all_events_during_a_reconcile_cause_one_further_reconcile() {
    let now = Instant::now();
    for action in [
        Action::AwaitChange,
        requeue(SECOND),
        Action::Backoff(SECOND),
    ] {
        let mut queue = Queue::default();
        queue.enqueue(&team("one"), Cause::Change, now);
        assert_eq!(next(&mut queue, now), Some(team("one")));
        queue.enqueue(&team("one"), Cause::Change, now);
        queue.enqueue(&team("one"), Cause::Change, now);
        assert_eq!(
            next(&mut queue, now),
            None,
            "never two reconciles at a time"
        );
        queue.done(&team("one"), ended(action), now);
        assert_eq!(next(&mut queue, now), Some(team("one")));
        queue.done(&team("one"), ended(Action::AwaitChange), now);
        assert_eq!(next(&mut queue, now + 100 * SECOND), None, "{action:?}");
    }
}

#[test]
fn a_requeue_is_due_after_its_time_and_not_before() {
    let now = Instant::now();
    for action in [requeue(5 * SECOND), Action::Backoff(5 * SECOND)] {
        let mut queue = after_reconcile(action, now);
        assert_eq!(queue.next_deadline(), Some(now + 5 * SECOND));
        assert_eq!(next(&mut queue, now + 4 * SECOND), None);
        assert_eq!(next(&mut queue, now + 5 * SECOND), Some(team("one")));
        assert_eq!(queue.next_deadline(), None);
    }
}

#[test]
fn a_reconcile_before_its_time_removes_the_timer() {
    let now = Instant::now();
    let mut queue = after_reconcile(requeue(5 * SECOND), now);
    queue.enqueue(&team("one"), Cause::Change, now + SECOND);
    assert_eq!(next(&mut queue, now + SECOND), Some(team("one")));
    assert_eq!(queue.next_deadline(), None);
    queue.done(&team("one"), ended(Action::AwaitChange), now + SECOND);
    assert_eq!(next(&mut queue, now + 10 * SECOND), None);
}

#[test]
fn a_failed_resource_is_retried_as_soon_as_failed_ones_are_enqueued() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for (name, action) in [
        ("failed", Action::Backoff(30 * SECOND)),
        ("due", requeue(30 * SECOND)),
        ("rests", Action::AwaitChange),
    ] {
        queue.enqueue(&team(name), Cause::Change, now);
        next(&mut queue, now);
        queue.done(&team(name), ended(action), now);
    }
    queue.enqueue_failed(now, |_| true);
    assert_eq!(all(&mut queue, now), [team("failed")]);
    queue.done(&team("failed"), ended(Action::AwaitChange), now);
    queue.enqueue_failed(now, |_| true);
    assert_eq!(all(&mut queue, now), [], "it failed no more");
}

#[test]
fn a_resource_that_is_gone_has_no_timer() {
    let now = Instant::now();
    let mut queue = after_reconcile(requeue(SECOND), now);
    queue.remove(&team("one"));
    queue.remove(&team("never known"));
    assert_eq!(queue.next_deadline(), None);
    assert_eq!(next(&mut queue, now + 5 * SECOND), None);
}

#[test]
fn a_resource_that_is_recreated_during_its_reconcile_is_still_reconciled_alone() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), Cause::Change, now);
    next(&mut queue, now);
    queue.remove(&team("one"));
    queue.enqueue(&team("one"), Cause::Change, now);
    assert_eq!(next(&mut queue, now), None);
    queue.done(&team("one"), ended(requeue(SECOND)), now);
    assert_eq!(next(&mut queue, now), Some(team("one")));
}
