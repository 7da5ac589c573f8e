//! The order of the queue, at times that the test sets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod model;

use std::time::Duration;

use crate::{
    domain::index::NamespacedName,
    runtime::queue::{Action, Queue},
    sts::fair::Load,
};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn key(namespace: &str, name: &str) -> NamespacedName {
    NamespacedName::new(namespace, name)
}

fn team(name: &str) -> NamespacedName {
    key("team", name)
}

/// Enqueues the due resources, and takes the next one.
fn next(queue: &mut Queue, now: Instant) -> Option<NamespacedName> {
    queue.enqueue_due(now);
    queue.get(now, true).map(|item| item.key)
}

fn all(queue: &mut Queue, now: Instant) -> Vec<NamespacedName> {
    std::iter::from_fn(|| next(queue, now)).collect()
}

/// A queue of one resource whose reconcile has ended.
fn after_reconcile(action: Action, now: Instant) -> Queue {
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), now);
    next(&mut queue, now);
    queue.done(&team("one"), action, now);
    queue
}

#[test]
fn an_enqueued_resource_is_served_once_in_the_order_of_arrival() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for name in ["one", "two", "one", "three", "two"] {
        queue.enqueue(&team(name), now);
    }
    assert_eq!(queue.depth(), 3);
    assert_eq!(all(&mut queue, now), ["one", "two", "three"].map(team));
    assert_eq!(queue.depth(), 0);
}

#[test]
fn namespaces_are_served_in_turn() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for number in 0..1000 {
        queue.enqueue(&key("burst", &number.to_string()), now);
    }
    queue.enqueue(&key("quiet", "one"), now);
    let first: Vec<_> = (0..3).filter_map(|_| next(&mut queue, now)).collect();
    assert!(first.contains(&key("quiet", "one")), "{first:?}");
}

#[test]
fn three_resources_of_a_namespace_run_while_bursts_are_throttled_and_four_do_not() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for name in ["one", "two", "three", "four", "five"] {
        queue.enqueue(&team(name), now);
    }
    assert!(!queue.has_eligible(false) && queue.has_eligible(true));
    assert_eq!(queue.get(now, false), None);
    let light = ["one", "two", "three"].map(|name| key("quiet", name));
    for key in &light {
        queue.enqueue(key, now);
    }
    for key in &light {
        let item = queue.get(now, false).unwrap();
        assert_eq!((&item.key, item.load), (key, Load::Light));
    }
    let item = queue.get(now, true).unwrap();
    assert_eq!((item.key, item.load), (team("one"), Load::Burst));
    // The three are still being reconciled.
    queue.enqueue(&key("quiet", "four"), now);
    assert_eq!(queue.get(now, false), None);
    queue.done(&light[0], Action::AwaitChange, now);
    let item = queue.get(now, false).unwrap();
    assert_eq!(item.key, key("quiet", "four"));
}

#[test]
fn the_waiting_time_counts_from_the_first_enqueue() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), now);
    queue.enqueue(&team("one"), now + SECOND);
    let item = queue.get(now + 3 * SECOND, true).unwrap();
    assert_eq!((item.key, item.waited), (team("one"), 3 * SECOND));
}

#[test]
fn all_events_during_a_reconcile_cause_one_further_reconcile() {
    let now = Instant::now();
    for action in [
        Action::AwaitChange,
        Action::Requeue(SECOND),
        Action::Backoff(SECOND),
    ] {
        let mut queue = Queue::default();
        queue.enqueue(&team("one"), now);
        assert_eq!(next(&mut queue, now), Some(team("one")));
        queue.enqueue(&team("one"), now);
        queue.enqueue(&team("one"), now);
        assert_eq!(
            next(&mut queue, now),
            None,
            "never two reconciles at a time"
        );
        queue.done(&team("one"), action, now);
        assert_eq!(next(&mut queue, now), Some(team("one")));
        queue.done(&team("one"), Action::AwaitChange, now);
        assert_eq!(next(&mut queue, now + 100 * SECOND), None, "{action:?}");
    }
}

#[test]
fn a_requeue_is_due_after_its_time_and_not_before() {
    let now = Instant::now();
    for action in [Action::Requeue(5 * SECOND), Action::Backoff(5 * SECOND)] {
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
    let mut queue = after_reconcile(Action::Requeue(5 * SECOND), now);
    queue.enqueue(&team("one"), now + SECOND);
    assert_eq!(next(&mut queue, now + SECOND), Some(team("one")));
    assert_eq!(queue.next_deadline(), None);
    queue.done(&team("one"), Action::AwaitChange, now + SECOND);
    assert_eq!(next(&mut queue, now + 10 * SECOND), None);
}

#[test]
fn a_failed_resource_is_retried_as_soon_as_failed_ones_are_enqueued() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for (name, action) in [
        ("failed", Action::Backoff(30 * SECOND)),
        ("due", Action::Requeue(30 * SECOND)),
        ("rests", Action::AwaitChange),
    ] {
        queue.enqueue(&team(name), now);
        next(&mut queue, now);
        queue.done(&team(name), action, now);
    }
    queue.enqueue_failed(now);
    assert_eq!(all(&mut queue, now), [team("failed")]);
    queue.done(&team("failed"), Action::AwaitChange, now);
    queue.enqueue_failed(now);
    assert_eq!(all(&mut queue, now), [], "it failed no more");
}

#[test]
fn a_resource_that_is_gone_has_no_timer() {
    let now = Instant::now();
    let mut queue = after_reconcile(Action::Requeue(SECOND), now);
    queue.remove(&team("one"));
    queue.remove(&team("never known"));
    assert_eq!(queue.next_deadline(), None);
    assert_eq!(next(&mut queue, now + 5 * SECOND), None);
}

#[test]
fn a_resource_that_is_recreated_during_its_reconcile_is_still_reconciled_alone() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.enqueue(&team("one"), now);
    next(&mut queue, now);
    queue.remove(&team("one"));
    queue.enqueue(&team("one"), now);
    assert_eq!(next(&mut queue, now), None);
    queue.done(&team("one"), Action::Requeue(SECOND), now);
    assert_eq!(next(&mut queue, now), Some(team("one")));
}
