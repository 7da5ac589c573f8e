//! Which resource is reconciled next, when, and why: namespaces in turn, never 2 reconciles of one resource at a time;
//! all events during a reconcile cause 1 further reconcile. The queue owns the timers of all resources.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use crate::domain::{
    decide::Cause,
    fair_queue::FairQueue,
    index::NamespacedName,
    reconcile::{PerTask, Task},
};

mod places;
mod shared;

pub use shared::{Slot, WorkQueue};

/// Resources that wait, run or have a timer.
#[derive(Debug, Default)]
pub struct Queue {
    ready: FairQueue<NamespacedName>,
    items: HashMap<NamespacedName, Item>,
    timers: BTreeMap<(Instant, NamespacedName, Task), Cause>,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing is to be done before a change.
    AwaitChange,
    /// The task succeeded; the next time is after this pause, for this reason.
    Requeue(Duration, Cause),
    /// The task failed and is retried after this pause.
    Backoff(Duration),
}

/// How a reconcile ended: the tasks that ran. The timer of a task that did not run stays.
pub type Outcome = PerTask<Option<Action>>;

/// The tasks that are due, each with the first reason.
pub type Due = PerTask<Option<Cause>>;

#[derive(Debug, Default)]
struct Item {
    state: State,
    timers: PerTask<Option<Instant>>,
    failed: PerTask<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Queued {
        since: Instant,
        due: Due,
    },
    Processing {
        next: Due,
    },
}

/// A resource that is to be reconciled now.
#[derive(Debug, PartialEq, Eq)]
pub struct WorkItem {
    /// The resource.
    pub key: NamespacedName,
    /// How long the resource was queued.
    pub waited: Duration,
    /// What is to be done.
    pub due: Due,
}

impl Queue {
    /// Enqueues a resource whose credentials are to be reconciled. Returns whether it was added: not if it is queued or
    /// being reconciled already.
    pub fn enqueue(&mut self, key: &NamespacedName, cause: Cause, now: Instant) -> bool {
        self.enqueue_task(key, Task::Credentials, cause, now)
    }

    fn enqueue_task(
        &mut self,
        key: &NamespacedName,
        task: Task,
        cause: Cause,
        now: Instant,
    ) -> bool {
        let Some(item) = self.items.get_mut(key) else {
            let due = Due::of(task, Some(cause));
            let item = Item {
                state: State::Queued { since: now, due },
                ..Item::default()
            };
            self.items.insert(key.clone(), item);
            self.ready.push(&key.namespace, key.clone());
            return true;
        };
        match &mut item.state {
            State::Queued { due, .. } | State::Processing { next: due } => {
                due.get_mut(task).get_or_insert(cause);
                return false;
            }
            State::Idle => {}
        }
        let due = Due::of(task, Some(cause));
        item.state = State::Queued { since: now, due };
        self.ready.push(&key.namespace, key.clone());
        true
    }

    /// Enqueues the resources of these namespaces whose last reconcile failed. Returns how many were added.
    pub fn enqueue_failed(&mut self, now: Instant, is_meant: impl Fn(&str) -> bool) -> usize {
        let mut failed = Vec::new();
        for (key, item) in &self.items {
            let tasks = Task::ALL.into_iter().filter(|task| *item.failed.get(*task));
            if is_meant(&key.namespace) {
                failed.extend(tasks.map(|task| (key.clone(), task)));
            }
        }
        let mut added = 0;
        for (key, task) in failed {
            added += usize::from(self.enqueue_task(&key, task, Cause::Retry, now));
        }
        added
    }

    /// Pops the next resource of the namespaces that may run. The resource is being reconciled until [`Self::done`] is
    /// called.
    pub fn get(&mut self, now: Instant, may_run: impl Fn(&str) -> bool) -> Option<WorkItem> {
        let key = self.ready.pop_where(|namespace, _| may_run(namespace))?;
        let item = self.items.get_mut(&key)?;
        let processing = State::Processing {
            next: Due::default(),
        };
        let State::Queued { since, due } = std::mem::replace(&mut item.state, processing) else {
            return None;
        };
        for task in Task::ALL {
            if due.get(task).is_some() {
                self.stop_timer(&key, task);
            }
        }
        let waited = now.saturating_duration_since(since);
        Some(WorkItem { key, waited, due })
    }

    /// Ends a reconcile. Returns whether the resource was enqueued again because of an event meanwhile.
    pub fn done(&mut self, key: &NamespacedName, outcome: Outcome, now: Instant) -> bool {
        let Some(item) = self.items.get_mut(key) else {
            return false;
        };
        let next = match item.state {
            State::Processing { next } => next,
            State::Idle | State::Queued { .. } => Due::default(),
        };
        item.state = State::Idle;
        for task in Task::ALL {
            if let Some(action) = outcome.get(task) {
                let is_due_again = next.get(task).is_some();
                self.ended(key, task, *action, now, is_due_again);
            }
        }
        let Some(item) = self.items.get_mut(key) else {
            return false;
        };
        if next != Due::default() {
            item.state = State::Queued {
                since: now,
                due: next,
            };
            self.ready.push(&key.namespace, key.clone());
            return true;
        }
        if item.timers == PerTask::default() {
            self.items.remove(key);
        }
        false
    }

    fn ended(
        &mut self,
        key: &NamespacedName,
        task: Task,
        action: Action,
        now: Instant,
        is_due_again: bool,
    ) {
        self.stop_timer(key, task);
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        *item.failed.get_mut(task) = matches!(action, Action::Backoff(_));
        let (pause, cause) = match action {
            Action::Requeue(pause, cause) => (pause, cause),
            Action::Backoff(pause) => (pause, Cause::Retry),
            Action::AwaitChange => return,
        };
        if is_due_again {
            return;
        }
        let deadline = now + pause;
        *item.timers.get_mut(task) = Some(deadline);
        self.timers.insert((deadline, key.clone(), task), cause);
    }

    /// Whether resources wait.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let first = self.timers.first_key_value();
        first.map(|((deadline, ..), _)| *deadline)
    }

    /// Forgets an idle resource. A queued or running one is kept: its next reconcile finds that it is gone.
    pub fn remove(&mut self, key: &NamespacedName) {
        let idle = self.items.get(key);
        if idle.is_some_and(|item| item.state == State::Idle) {
            for task in Task::ALL {
                self.stop_timer(key, task);
            }
            self.items.remove(key);
        }
    }

    fn stop_timer(&mut self, key: &NamespacedName, task: Task) {
        let item = self.items.get_mut(key);
        if let Some(deadline) = item.and_then(|item| item.timers.get_mut(task).take()) {
            self.timers.remove(&(deadline, key.clone(), task));
        }
    }

    /// Enqueues the resources whose timers are due. Returns how many were added to the queue.
    pub fn enqueue_due(&mut self, now: Instant) -> usize {
        let mut added = 0;
        while let Some(first) = self.timers.first_entry()
            && first.key().0 <= now
        {
            let ((_, key, task), cause) = first.remove_entry();
            if let Some(item) = self.items.get_mut(&key) {
                *item.timers.get_mut(task) = None;
            }
            added += usize::from(self.enqueue_task(&key, task, cause, now));
        }
        added
    }
}

#[cfg(test)]
mod tests;
