//! The queue against a simple model of the reconciles that are due.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    domain::index::NamespacedName,
    runtime::queue::{Action, Queue, WorkItem},
    sts::fair::Load,
};
use proptest::prelude::*;
use tokio::time::Instant;

use super::{SECOND, key};

#[derive(Clone, Debug)]
enum Deed {
    Wake(usize),
    WakeFailed,
    /// Whether resources of a namespace with a burst may be taken.
    Next(bool),
    End(usize, u8),
    Forget(usize),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..8_usize).prop_map(Deed::Wake),
        1 => Just(Deed::WakeFailed),
        4 => prop::bool::weighted(0.7).prop_map(Deed::Next),
        4 => (0..8_usize, 0..3_u8).prop_map(|(who, how)| Deed::End(who, how)),
        1 => (0..8_usize).prop_map(Deed::Forget),
        2 => (0..8_u64).prop_map(Deed::Wait),
    ]
}

fn nth(who: usize) -> NamespacedName {
    key(if who < 2 { "a" } else { "b" }, &who.to_string())
}

/// The due reconciles of each resource in the simplest form: now, later, or none.
#[derive(Default)]
struct Owed {
    now: BTreeSet<NamespacedName>,
    later: BTreeMap<NamespacedName, Instant>,
    running: BTreeMap<NamespacedName, bool>,
    failed: BTreeSet<NamespacedName>,
}

impl Owed {
    fn wake(&mut self, key: NamespacedName) {
        match self.running.get_mut(&key) {
            Some(woken) => *woken = true,
            None => drop(self.now.insert(key)),
        }
    }

    fn is_one_of_few(&self, key: &NamespacedName) -> bool {
        let all = self.now.iter().chain(self.running.keys());
        let all: BTreeSet<_> = all.filter(|it| it.namespace == key.namespace).collect();
        all.len() <= 3
    }

    fn ring(&mut self, now: Instant) {
        let due = |(_, at): &(&NamespacedName, &Instant)| **at <= now;
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

    fn end(&mut self, key: &NamespacedName, ended: Action, now: Instant) {
        let Some(woken) = self.running.remove(key) else {
            return;
        };
        self.failed.remove(key);
        if matches!(ended, Action::Backoff(_)) {
            self.failed.insert(key.clone());
        }
        match ended {
            _ if woken => drop(self.now.insert(key.clone())),
            Action::AwaitChange => {}
            Action::Requeue(pause) | Action::Backoff(pause) => {
                self.later.insert(key.clone(), now + pause);
            }
        }
    }
}

proptest! {
    /// No resource is lost, reconciled twice at a time, or reconciled without a reason.
    #[test]
    fn everybody_gets_what_is_owed_to_them(deeds in prop::collection::vec(deed(), 0..120)) {
        let mut now = Instant::now();
        let (mut queue, mut owed) = (Queue::default(), Owed::default());
        for deed in deeds {
            match deed {
                Deed::Wake(who) => {
                    queue.enqueue(&nth(who), now);
                    owed.wake(nth(who));
                }
                Deed::WakeFailed => {
                    queue.enqueue_failed(now);
                    owed.failed.clone().into_iter().for_each(|key| owed.wake(key));
                }
                Deed::Next(crowds) => {
                    let somebody = owed.now.iter().any(|key| crowds || owed.is_one_of_few(key));
                    prop_assert_eq!(queue.has_eligible(crowds), somebody);
                    let turn = queue.get(now, crowds);
                    prop_assert_eq!(turn.is_some(), somebody);
                    if let Some(WorkItem { key, company, .. }) = turn {
                        prop_assert_eq!(company == Load::Light, owed.is_one_of_few(&key));
                        prop_assert!(crowds || company == Load::Light);
                        prop_assert!(owed.now.remove(&key), "{} runs for nothing", key);
                        owed.later.remove(&key);
                        prop_assert!(owed.running.insert(key, false).is_none());
                    }
                }
                Deed::End(who, how) => {
                    let ended = match how {
                        0 => Action::AwaitChange,
                        1 => Action::Requeue(3 * SECOND),
                        _ => Action::Backoff(3 * SECOND),
                    };
                    if owed.running.contains_key(&nth(who)) {
                        queue.done(&nth(who), ended, now);
                        owed.end(&nth(who), ended, now);
                    }
                }
                Deed::Forget(who) => {
                    queue.remove(&nth(who));
                    let busy = owed.now.contains(&nth(who)) || owed.running.contains_key(&nth(who));
                    if !busy {
                        owed.later.remove(&nth(who));
                        owed.failed.remove(&nth(who));
                    }
                }
                Deed::Wait(seconds) => now += Duration::from_secs(seconds),
            }
            owed.ring(now);
            queue.enqueue_due(now);
            prop_assert_eq!(queue.depth(), owed.now.len());
            for key in owed.running.keys() {
                let few = queue.load_of(&key.namespace) == Load::Light;
                prop_assert_eq!(few, owed.is_one_of_few(key));
            }
            let timer = owed.later.values().min().copied();
            prop_assert_eq!(queue.next_deadline(), timer);
        }
    }
}
