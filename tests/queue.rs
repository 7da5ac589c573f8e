//! Whose turn it is, by an hour that the test sets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use static_aws_credentials::{
    index::ResourceKey,
    queue::{Ended, Queue},
};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn key(namespace: &str, name: &str) -> ResourceKey {
    ResourceKey::new(namespace, name)
}

fn team(name: &str) -> ResourceKey {
    key("team", name)
}

/// Rings, and takes the next turn.
fn next(queue: &mut Queue, now: Instant) -> Option<ResourceKey> {
    queue.ring(now);
    queue.next(now).map(|turn| turn.key)
}

fn all(queue: &mut Queue, now: Instant) -> Vec<ResourceKey> {
    std::iter::from_fn(|| next(queue, now)).collect()
}

#[test]
fn whoever_is_woken_gets_one_turn_in_the_order_of_waking() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for name in ["one", "two", "one", "three", "two"] {
        queue.wake(&team(name), now);
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
        queue.wake(&key("crowd", &number.to_string()), now);
    }
    queue.wake(&key("quiet", "one"), now);
    let first: Vec<_> = (0..3).filter_map(|_| next(&mut queue, now)).collect();
    assert!(first.contains(&key("quiet", "one")), "{first:?}");
}

#[test]
fn the_time_that_somebody_waited_counts_from_the_first_waking() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.wake(&team("one"), now);
    queue.wake(&team("one"), now + SECOND);
    let turn = queue.next(now + 3 * SECOND).unwrap();
    assert_eq!((turn.key, turn.waited), (team("one"), 3 * SECOND));
}

#[test]
fn whatever_happens_during_a_run_is_one_further_run() {
    let now = Instant::now();
    for ended in [Ended::Rest, Ended::LookAgain(SECOND), Ended::Failed(SECOND)] {
        let mut queue = Queue::default();
        queue.wake(&team("one"), now);
        assert_eq!(next(&mut queue, now), Some(team("one")));
        queue.wake(&team("one"), now);
        queue.wake(&team("one"), now);
        assert_eq!(next(&mut queue, now), None, "never two runs at a time");
        queue.ended(&team("one"), ended, now);
        assert_eq!(next(&mut queue, now), Some(team("one")));
        queue.ended(&team("one"), Ended::Rest, now);
        assert_eq!(next(&mut queue, now + 100 * SECOND), None, "{ended:?}");
    }
}

#[test]
fn another_look_is_due_after_its_time_and_not_before() {
    let now = Instant::now();
    for ended in [Ended::LookAgain(5 * SECOND), Ended::Failed(5 * SECOND)] {
        let mut queue = Queue::default();
        queue.wake(&team("one"), now);
        next(&mut queue, now);
        queue.ended(&team("one"), ended, now);
        assert_eq!(queue.next_timer(), Some(now + 5 * SECOND));
        assert_eq!(next(&mut queue, now + 4 * SECOND), None);
        assert_eq!(next(&mut queue, now + 5 * SECOND), Some(team("one")));
        assert_eq!(queue.next_timer(), None);
    }
}

#[test]
fn a_run_before_its_time_takes_the_timer_with_it() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.wake(&team("one"), now);
    next(&mut queue, now);
    queue.ended(&team("one"), Ended::LookAgain(5 * SECOND), now);
    queue.wake(&team("one"), now + SECOND);
    assert_eq!(next(&mut queue, now + SECOND), Some(team("one")));
    assert_eq!(queue.next_timer(), None);
    queue.ended(&team("one"), Ended::Rest, now + SECOND);
    assert_eq!(next(&mut queue, now + 10 * SECOND), None);
}

#[test]
fn what_failed_is_tried_again_as_soon_as_it_may_succeed() {
    let now = Instant::now();
    let mut queue = Queue::default();
    for (name, ended) in [
        ("failed", Ended::Failed(30 * SECOND)),
        ("due", Ended::LookAgain(30 * SECOND)),
        ("rests", Ended::Rest),
    ] {
        queue.wake(&team(name), now);
        next(&mut queue, now);
        queue.ended(&team(name), ended, now);
    }
    queue.wake_failed(now);
    assert_eq!(all(&mut queue, now), [team("failed")]);
    queue.ended(&team("failed"), Ended::Rest, now);
    queue.wake_failed(now);
    assert_eq!(all(&mut queue, now), [], "it failed no more");
}

#[test]
fn a_resource_that_is_gone_has_no_timer() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.wake(&team("one"), now);
    next(&mut queue, now);
    queue.ended(&team("one"), Ended::LookAgain(SECOND), now);
    queue.forget(&team("one"));
    queue.forget(&team("never known"));
    assert_eq!(queue.next_timer(), None);
    assert_eq!(next(&mut queue, now + 5 * SECOND), None);
}

#[test]
fn a_resource_that_goes_and_comes_back_during_its_run_is_still_run_alone() {
    let now = Instant::now();
    let mut queue = Queue::default();
    queue.wake(&team("one"), now);
    next(&mut queue, now);
    queue.forget(&team("one"));
    queue.wake(&team("one"), now);
    assert_eq!(next(&mut queue, now), None);
    queue.ended(&team("one"), Ended::LookAgain(SECOND), now);
    assert_eq!(next(&mut queue, now), Some(team("one")));
}

#[derive(Clone, Debug)]
enum Deed {
    Wake(usize),
    WakeFailed,
    Next,
    End(usize, u8),
    Forget(usize),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..6_usize).prop_map(Deed::Wake),
        1 => Just(Deed::WakeFailed),
        4 => Just(Deed::Next),
        4 => (0..6_usize, 0..3_u8).prop_map(|(who, how)| Deed::End(who, how)),
        1 => (0..6_usize).prop_map(Deed::Forget),
        2 => (0..8_u64).prop_map(Deed::Wait),
    ]
}

fn nth(who: usize) -> ResourceKey {
    key(if who < 3 { "a" } else { "b" }, &who.to_string())
}

/// What is owed to each resource, kept in the plainest way: a run now, a run later, or none.
#[derive(Default)]
struct Owed {
    now: BTreeSet<ResourceKey>,
    later: BTreeMap<ResourceKey, Instant>,
    running: BTreeMap<ResourceKey, bool>,
    failed: BTreeSet<ResourceKey>,
}

impl Owed {
    fn wake(&mut self, key: ResourceKey) {
        match self.running.get_mut(&key) {
            Some(woken) => *woken = true,
            None => drop(self.now.insert(key)),
        }
    }

    fn ring(&mut self, now: Instant) {
        let due = |(_, at): &(&ResourceKey, &Instant)| **at <= now;
        let due: Vec<_> = self
            .later
            .iter()
            .filter(due)
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            self.later.remove(&key);
            self.wake(key);
        }
    }

    fn end(&mut self, key: &ResourceKey, ended: Ended, now: Instant) {
        let Some(woken) = self.running.remove(key) else {
            return;
        };
        self.failed.remove(key);
        if matches!(ended, Ended::Failed(_)) {
            self.failed.insert(key.clone());
        }
        match ended {
            _ if woken => drop(self.now.insert(key.clone())),
            Ended::Rest => {}
            Ended::LookAgain(pause) | Ended::Failed(pause) => {
                self.later.insert(key.clone(), now + pause);
            }
        }
    }
}

proptest! {
    /// Nobody is forgotten, nobody runs twice at a time, nobody runs for nothing.
    #[test]
    fn everybody_gets_what_is_owed_to_them(deeds in prop::collection::vec(deed(), 0..120)) {
        let mut now = Instant::now();
        let (mut queue, mut owed) = (Queue::default(), Owed::default());
        for deed in deeds {
            match deed {
                Deed::Wake(who) => {
                    queue.wake(&nth(who), now);
                    owed.wake(nth(who));
                }
                Deed::WakeFailed => {
                    queue.wake_failed(now);
                    owed.failed.clone().into_iter().for_each(|key| owed.wake(key));
                }
                Deed::Next => {
                    owed.ring(now);
                    let turn = next(&mut queue, now);
                    prop_assert_eq!(turn.is_some(), !owed.now.is_empty());
                    if let Some(key) = turn {
                        prop_assert!(owed.now.remove(&key), "{} runs for nothing", key);
                        owed.later.remove(&key);
                        prop_assert!(owed.running.insert(key, false).is_none());
                    }
                }
                Deed::End(who, how) => {
                    let ended = match how {
                        0 => Ended::Rest,
                        1 => Ended::LookAgain(3 * SECOND),
                        _ => Ended::Failed(3 * SECOND),
                    };
                    if owed.running.contains_key(&nth(who)) {
                        queue.ended(&nth(who), ended, now);
                        owed.end(&nth(who), ended, now);
                    }
                }
                Deed::Forget(who) => {
                    queue.forget(&nth(who));
                    let busy = owed.now.contains(&nth(who)) || owed.running.contains_key(&nth(who));
                    if !busy {
                        owed.later.remove(&nth(who));
                        owed.failed.remove(&nth(who));
                    }
                }
                Deed::Wait(seconds) => now += Duration::from_secs(seconds),
            }
            owed.ring(now);
            queue.ring(now);
            prop_assert_eq!(queue.depth(), owed.now.len());
            let timer = owed.later.values().min().copied();
            prop_assert_eq!(queue.next_timer(), timer);
        }
    }
}
