//! The queue against a simple model of the reconciles that are due.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    domain::{decide::Cause, index::NamespacedName},
    runtime::queue::{Action, Queue, WorkItem},
};
use proptest::prelude::*;
use tokio::time::Instant;

use super::{SECOND, ended, key, requeue};

#[derive(Clone, Debug)]
enum Operation {
    Enqueue(usize),
    EnqueueFailed,
    /// Whether resources of the namespace "b" may be taken.
    Get(bool),
    Done(usize, u8),
    Remove(usize),
    Wait(u64),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => (0..8_usize).prop_map(Operation::Enqueue),
        1 => Just(Operation::EnqueueFailed),
        4 => prop::bool::weighted(0.7).prop_map(Operation::Get),
        4 => (0..8_usize, 0..3_u8).prop_map(|(resource, action_index)| Operation::Done(resource, action_index)),
        1 => (0..8_usize).prop_map(Operation::Remove),
        2 => (0..8_u64).prop_map(Operation::Wait),
    ]
}

fn nth(resource: usize) -> NamespacedName {
    key(if resource < 2 { "a" } else { "b" }, &resource.to_string())
}

/// The due reconciles of each resource in the simplest form: now, later, or none.
#[derive(Default)]
struct Model {
    now: BTreeSet<NamespacedName>,
    later: BTreeMap<NamespacedName, Instant>,
    running: BTreeMap<NamespacedName, bool>,
    failed: BTreeSet<NamespacedName>,
}

impl Model {
    fn enqueue(&mut self, key: NamespacedName) {
        match self.running.get_mut(&key) {
            Some(dirty) => *dirty = true,
            None => drop(self.now.insert(key)),
        }
    }

    fn enqueue_due(&mut self, now: Instant) {
        let due = |(_, at): &(&NamespacedName, &Instant)| **at <= now;
        let due: Vec<_> = self
            .later
            .iter()
            .filter(due)
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            self.later.remove(&key);
            self.enqueue(key);
        }
    }

    fn done(&mut self, key: &NamespacedName, action: Action, now: Instant) {
        let Some(dirty) = self.running.remove(key) else {
            return;
        };
        self.failed.remove(key);
        if matches!(action, Action::Backoff(_)) {
            self.failed.insert(key.clone());
        }
        match action {
            _ if dirty => drop(self.now.insert(key.clone())),
            Action::AwaitChange => {}
            Action::Requeue(pause, _) | Action::Backoff(pause) => {
                self.later.insert(key.clone(), now + pause);
            }
        }
    }
}

proptest! {
    /// No resource is lost, reconciled twice at a time, or reconciled without a reason.
    #[test]
    fn every_due_resource_is_reconciled_once(operations in prop::collection::vec(operation(), 0..120)) {
        let mut now = Instant::now();
        let (mut queue, mut model) = (Queue::default(), Model::default());
        for operation in operations {
            match operation {
                Operation::Enqueue(resource) => {
                    queue.enqueue(&nth(resource), Cause::Change, now);
                    model.enqueue(nth(resource));
                }
                Operation::EnqueueFailed => {
                    queue.enqueue_failed(now, |_| true);
                    model.failed.clone().into_iter().for_each(|key| model.enqueue(key));
                }
                Operation::Get(also_b) => {
                    let may_run = |namespace: &str| also_b || namespace != "b";
                    let expected = model.now.iter().any(|key| may_run(&key.namespace));
                    let item = queue.get(now, may_run);
                    prop_assert_eq!(item.is_some(), expected);
                    if let Some(WorkItem { key, .. }) = item {
                        prop_assert!(may_run(&key.namespace));
                        prop_assert!(model.now.remove(&key), "{} runs for nothing", key);
                        model.later.remove(&key);
                        prop_assert!(model.running.insert(key, false).is_none());
                    }
                }
                Operation::Done(resource, action_index) => {
                    let action = match action_index {
                        0 => Action::AwaitChange,
                        1 => requeue(3 * SECOND),
                        _ => Action::Backoff(3 * SECOND),
                    };
                    if model.running.contains_key(&nth(resource)) {
                        queue.done(&nth(resource), ended(action), now);
                        model.done(&nth(resource), action, now);
                    }
                }
                Operation::Remove(resource) => {
                    queue.remove(&nth(resource));
                    let is_active = model.now.contains(&nth(resource)) || model.running.contains_key(&nth(resource));
                    if !is_active {
                        model.later.remove(&nth(resource));
                        model.failed.remove(&nth(resource));
                    }
                }
                Operation::Wait(seconds) => now += Duration::from_secs(seconds),
            }
            model.enqueue_due(now);
            queue.enqueue_due(now);
            prop_assert_eq!(queue.ready.len(), model.now.len());
            let timer = model.later.values().min().copied();
            prop_assert_eq!(queue.next_deadline(), timer);
        }
    }
}
