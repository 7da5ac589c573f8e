//! The queue against a plain list of the waiting items.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use super::{FairQueue, Ticket};
use proptest::prelude::*;

/// An operation on a queue.
#[derive(Clone, Copy, Debug)]
enum Step {
    Push(u8),
    Pop,
    /// Removes a waiting item, chosen by the number.
    Remove(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Item {
    namespace: u8,
    number: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..5u8).prop_map(Step::Push),
        3 => Just(Step::Pop),
        1 => any::<usize>().prop_map(Step::Remove),
    ];
    proptest::collection::vec(step, 0..200)
}

/// The queue beside a list of its waiting items, in the order of arrival.
#[derive(Default)]
struct Model {
    queue: FairQueue<Item>,
    waiting: Vec<(Item, Ticket)>,
    pushed: usize,
}

impl Model {
    fn push(&mut self, namespace: u8) {
        let item = Item {
            namespace,
            number: self.pushed,
        };
        self.pushed += 1;
        let ticket = self.queue.push(&namespace.to_string(), item);
        self.waiting.push((item, ticket));
    }

    /// Performs a step, with this kind of pop.
    fn take(&mut self, step: Step, pop: fn(&mut Self) -> Option<Item>) -> Option<Item> {
        match step {
            Step::Push(namespace) => self.push(namespace),
            Step::Remove(pick) => self.remove(pick),
            Step::Pop => return pop(self),
        }
        None
    }

    fn remove(&mut self, pick: usize) {
        if self.waiting.is_empty() {
            return;
        }
        let (item, ticket) = self.waiting.remove(pick % self.waiting.len());
        assert_eq!(self.queue.remove(&ticket), Some(item));
        assert_eq!(self.queue.remove(&ticket), None);
    }

    /// Pops, and checks the rules that a single pop can violate.
    fn pop(&mut self) -> Option<Item> {
        let popped = self.queue.pop();
        let Some(item) = popped else {
            assert!(self.waiting.is_empty(), "{:?} wait", self.waiting.len());
            return None;
        };
        let same_namespace = |other: &Item| other.namespace == item.namespace;
        let first = self
            .waiting
            .iter()
            .position(|(other, _)| same_namespace(other));
        let (expected, ticket) = self.waiting.remove(first.expect("it waits"));
        assert_eq!(item, expected, "first come, first served in a namespace");
        assert_eq!(self.queue.remove(&ticket), None, "served is gone");
        popped
    }

    /// Pops only items that are alone in their namespace.
    fn pop_alone(&mut self) -> Option<Item> {
        let waiting = self.waiting.iter().map(|(item, _)| *item);
        let alone = waiting.filter(|item| {
            let same = self.waiting.iter();
            same.filter(|(other, _)| other.namespace == item.namespace)
                .count()
                == 1
        });
        let alone: Vec<Item> = alone.collect();
        let popped = self.queue.pop_where(|_, waiting| waiting == 1);
        assert_eq!(popped.is_some(), !alone.is_empty());
        let item = popped?;
        assert!(alone.contains(&item));
        self.waiting.retain(|(other, _)| *other != item);
        popped
    }
}

proptest! {
    #[test]
    fn each_item_is_served_once_and_in_order(steps in steps()) {
        let mut model = Model::default();
        for step in steps {
            model.take(step, Model::pop);
            prop_assert_eq!(model.queue.len(), model.waiting.len());
            prop_assert_eq!(model.queue.is_empty(), model.waiting.is_empty());
        }
        while model.pop().is_some() {}
    }

    /// A waiting namespace is served before any other namespace is served twice, also if items are
    /// added or removed meanwhile.
    #[test]
    fn no_namespace_waits_longer_than_one_round(steps in steps()) {
        let mut model = Model::default();
        // For each waiting namespace: how often each other namespace was served since.
        let mut served_since: HashMap<u8, HashMap<u8, u32>> = HashMap::new();
        for step in steps {
            if let Some(item) = model.take(step, Model::pop) {
                served_since.remove(&item.namespace);
                for served in served_since.values_mut() {
                    *served.entry(item.namespace).or_default() += 1;
                }
            }
            let waits = |key: &u8| model.waiting.iter().any(|(item, _)| item.namespace == *key);
            served_since.retain(|key, _| waits(key));
            for key in model.waiting.iter().map(|(item, _)| item.namespace) {
                served_since.entry(key).or_default();
            }
            for (key, served) in &served_since {
                prop_assert!(served.values().all(|times| *times <= 1), "{:?} waited while others were served: {:?}", key, served);
            }
        }
    }
}

proptest! {
    /// Only matching namespaces are served, and all others keep their order.
    #[test]
    fn matching_namespaces_are_served_as_if_the_others_were_absent(steps in steps()) {
        let mut model = Model::default();
        for step in steps {
            model.take(step, Model::pop_alone);
            prop_assert_eq!(model.queue.len(), model.waiting.len());
        }
        while model.pop().is_some() {}
    }
}

#[test]
fn a_burst_of_one_namespace_keeps_no_other_waiting() {
    let mut queue = FairQueue::new();
    for number in 0..10_000 {
        queue.push("burst", ("burst", number));
    }
    queue.push("quiet", ("quiet", 0));
    queue.push("other", ("other", 0));
    let first: Vec<_> = std::iter::from_fn(|| queue.pop()).take(4).collect();
    assert_eq!(
        first,
        [("burst", 0), ("quiet", 0), ("other", 0), ("burst", 1)]
    );
}
