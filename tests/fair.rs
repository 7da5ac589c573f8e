//! Who is served next, and that nobody is forgotten or served twice.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;
use static_aws_credentials::fair::{FairGate, FairQueue, Permit, Place};
use tokio::task::{JoinHandle, yield_now};

/// What happens to a queue.
#[derive(Clone, Debug)]
enum Step {
    Push {
        class: u8,
        namespace: u8,
    },
    Pop,
    /// Takes out one that waits; the number picks which.
    Remove(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Item {
    class: u8,
    namespace: u8,
    number: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3u8, 0..5u8).prop_map(|(class, namespace)| Step::Push { class, namespace }),
        3 => Just(Step::Pop),
        1 => any::<usize>().prop_map(Step::Remove),
    ];
    proptest::collection::vec(step, 0..200)
}

/// The queue beside a list of what waits in it, in the order of arrival.
#[derive(Default)]
struct Model {
    queue: FairQueue<Item>,
    waiting: Vec<(Item, Place)>,
    pushed: usize,
}

impl Model {
    fn push(&mut self, class: u8, namespace: u8) {
        let item = Item {
            class,
            namespace,
            number: self.pushed,
        };
        self.pushed += 1;
        let place = self.queue.push(class, &namespace.to_string(), item);
        self.waiting.push((item, place));
    }

    fn remove(&mut self, pick: usize) {
        if self.waiting.is_empty() {
            return;
        }
        let (item, place) = self.waiting.remove(pick % self.waiting.len());
        assert_eq!(self.queue.remove(&place), Some(item));
        assert_eq!(self.queue.remove(&place), None);
    }

    /// Pops, and holds what comes against the rules that one pop can break.
    fn pop(&mut self) -> Option<Item> {
        let popped = self.queue.pop();
        let Some(item) = popped else {
            assert!(self.waiting.is_empty(), "{:?} wait", self.waiting.len());
            return None;
        };
        let lowest = self.waiting.iter().map(|(item, _)| item.class).min();
        assert_eq!(Some(item.class), lowest, "the lowest class first");
        let line = |other: &Item| (other.class, other.namespace) == (item.class, item.namespace);
        let first = self.waiting.iter().position(|(other, _)| line(other));
        let (expected, place) = self.waiting.remove(first.expect("it waits"));
        assert_eq!(item, expected, "first come, first served in a namespace");
        assert_eq!(self.queue.remove(&place), None, "served is gone");
        popped
    }
}

proptest! {
    #[test]
    fn each_item_is_served_once_and_in_order(steps in steps()) {
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Push { class, namespace } => model.push(class, namespace),
                Step::Pop => drop(model.pop()),
                Step::Remove(pick) => model.remove(pick),
            }
            prop_assert_eq!(model.queue.len(), model.waiting.len());
            prop_assert_eq!(model.queue.is_empty(), model.waiting.is_empty());
        }
        while model.pop().is_some() {}
    }

    /// Whatever comes and goes meanwhile, a namespace is served again before any other of its class
    /// was served twice.
    #[test]
    fn no_namespace_waits_longer_than_one_round(steps in steps()) {
        let mut model = Model::default();
        // For each namespace that waits: how often each other one was served since.
        let mut overtaken: HashMap<(u8, u8), HashMap<u8, u32>> = HashMap::new();
        for step in steps {
            match step {
                Step::Push { class, namespace } => {
                    model.push(class, namespace);
                    overtaken.entry((class, namespace)).or_default();
                }
                Step::Remove(pick) => model.remove(pick),
                Step::Pop => if let Some(item) = model.pop() {
                    overtaken.remove(&(item.class, item.namespace));
                    for ((class, _), by) in &mut overtaken {
                        if *class == item.class {
                            *by.entry(item.namespace).or_default() += 1;
                        }
                    }
                },
            }
            let waits = |key: &(u8, u8)| model.waiting.iter().any(|(item, _)| (item.class, item.namespace) == *key);
            overtaken.retain(|key, _| waits(key));
            for key in model.waiting.iter().map(|(item, _)| (item.class, item.namespace)) {
                overtaken.entry(key).or_default();
            }
            for (key, by) in &overtaken {
                prop_assert!(by.values().all(|times| *times <= 1), "{:?} was overtaken: {:?}", key, by);
            }
        }
    }
}

#[test]
fn one_crowded_namespace_keeps_nobody_waiting() {
    let mut queue = FairQueue::new();
    for number in 0..10_000 {
        queue.push(0, "crowded", ("crowded", number));
    }
    queue.push(0, "quiet", ("quiet", 0));
    queue.push(0, "other", ("other", 0));
    let first: Vec<_> = std::iter::from_fn(|| queue.pop()).take(4).collect();
    assert_eq!(
        first,
        [("crowded", 0), ("quiet", 0), ("other", 0), ("crowded", 1)]
    );
}

/// Starts a task that enters, and lets it run up to the gate.
async fn waiter(gate: &FairGate, namespace: &'static str) -> JoinHandle<Permit> {
    let gate = gate.clone();
    let waiting = gate.waiting();
    let task = tokio::spawn({
        let gate = gate.clone();
        async move { gate.enter(0, namespace).await }
    });
    while gate.waiting() == waiting && !task.is_finished() {
        yield_now().await;
    }
    task
}

#[tokio::test]
async fn the_gate_admits_so_many_and_the_rest_in_turn() {
    let gate = FairGate::new(2);
    let (first, second) = (gate.enter(0, "a").await, gate.enter(0, "a").await);
    let (a1, a2, b) = (
        waiter(&gate, "a").await,
        waiter(&gate, "a").await,
        waiter(&gate, "b").await,
    );
    assert_eq!(gate.waiting(), 3);
    drop(first);
    let a1 = a1.await.expect("admitted");
    drop(second);
    let b = b.await.expect("admitted before the second of a");
    assert!(!a2.is_finished());
    drop(a1);
    let a2 = a2.await.expect("admitted");
    drop((a2, b));
    let _both = (gate.enter(0, "a").await, gate.enter(0, "a").await);
    let third = waiter(&gate, "a").await;
    assert_eq!(gate.waiting(), 1, "two permits came back, not three");
    third.abort();
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_the_queue() {
    let gate = FairGate::new(1);
    let inside = gate.enter(0, "a").await;
    let (gone, stays) = (waiter(&gate, "a").await, waiter(&gate, "a").await);
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    assert_eq!(gate.waiting(), 1);
    drop(inside);
    drop(stays.await.expect("admitted"));
}

/// On this runtime a task that was woken runs only when the test awaits: the permit is on its way.
#[tokio::test]
async fn a_permit_on_its_way_to_one_who_leaves_goes_on_to_the_next() {
    let gate = FairGate::new(1);
    let inside = gate.enter(0, "a").await;
    let (gone, too, next) = (
        waiter(&gate, "a").await,
        waiter(&gate, "b").await,
        waiter(&gate, "c").await,
    );
    drop(inside);
    assert_eq!(gate.waiting(), 2, "the permit was sent");
    gone.abort();
    too.abort();
    drop(next.await.expect("admitted"));
    drop(gate.enter(0, "a").await);
}

#[tokio::test]
async fn a_low_class_waits_for_all_of_a_high_one() {
    let gate = FairGate::new(1);
    let inside = gate.enter(0, "a").await;
    let low = tokio::spawn({
        let gate = gate.clone();
        async move { drop(gate.enter(1, "b").await) }
    });
    while gate.waiting() == 0 {
        yield_now().await;
    }
    let (high1, high2) = (waiter(&gate, "a").await, waiter(&gate, "a").await);
    drop(inside);
    let held = high1.await.expect("admitted");
    assert!(!low.is_finished());
    drop(held);
    let held = high2.await.expect("admitted");
    assert!(!low.is_finished());
    drop(held);
    low.await.expect("admitted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_permit_is_lost_or_made_in_a_crowd_that_comes_and_goes() {
    let gate = FairGate::new(3);
    let inside = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..2_000u64).map(|number| {
        let (gate, inside) = (gate.clone(), inside.clone());
        tokio::spawn(async move {
            use std::sync::atomic::Ordering::SeqCst;
            let namespace = (number % 7).to_string();
            let visit = async {
                let _permit = gate.enter((number % 2) as u8, &namespace).await;
                assert!(inside.fetch_add(1, SeqCst) < 3, "too many inside");
                yield_now().await;
                inside.fetch_sub(1, SeqCst);
            };
            if number % 3 == 0 {
                // Gives up while it waits, or as it is let in, but never inside.
                let enter = gate.enter(0, &namespace);
                drop(tokio::time::timeout(Duration::from_micros(number % 50), enter).await);
            } else {
                visit.await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no assertion failed");
    }
    assert_eq!(gate.waiting(), 0);
    let all = async {
        (
            gate.enter(0, "").await,
            gate.enter(0, "").await,
            gate.enter(0, "").await,
        )
    };
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .expect("three permits");
}
