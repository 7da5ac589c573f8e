//! Which resource is reconciled next, and when: namespaces in turn, never 2 reconciles of one resource at
//! a time; all events during a reconcile cause 1 further reconcile.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    domain::{fair_queue::FairQueue, index::NamespacedName},
    sts::fair::Load,
};

/// The work queue of one scope.
#[derive(Debug, Default)]
pub struct Queue {
    ready: FairQueue<NamespacedName>,
    running: HashMap<Arc<str>, usize>,
    work: HashMap<NamespacedName, Item>,
    timers: BTreeSet<(Instant, NamespacedName)>,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing is to be done before a change.
    AwaitChange,
    /// The reconcile succeeded; the next one is due after this time.
    Requeue(Duration),
    /// The reconcile failed and is retried after this time.
    Backoff(Duration),
}

#[derive(Debug)]
struct Item {
    state: State,
    timer: Option<Instant>,
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Queued { since: Instant },
    Processing { dirty: bool },
}

/// A resource that is to be reconciled now.
#[derive(Debug, PartialEq, Eq)]
pub struct WorkItem {
    /// The resource.
    pub key: NamespacedName,
    /// How long the resource was queued.
    pub waited: Duration,
    /// How many resources of its namespace wait or are reconciled.
    pub load: Load,
}

impl Queue {
    /// Enqueues a resource. Returns whether it was added: not if it is queued or being reconciled already.
    pub fn enqueue(&mut self, key: &NamespacedName, now: Instant) -> bool {
        let Some(work) = self.work.get_mut(key) else {
            let waiting = Item {
                state: State::Queued { since: now },
                timer: None,
                failed: false,
            };
            self.work.insert(key.clone(), waiting);
            self.push_ready(key);
            return true;
        };
        match &mut work.state {
            State::Processing { dirty } => *dirty = true,
            State::Queued { .. } => {}
            State::Idle => {
                work.state = State::Queued { since: now };
                self.push_ready(key);
                return true;
            }
        }
        false
    }

    /// Enqueues the resources whose last reconcile failed. Returns how many were added to the queue.
    pub fn enqueue_failed(&mut self, now: Instant) -> usize {
        let failed = self.work.iter().filter(|(_, work)| work.failed);
        let failed: Vec<NamespacedName> = failed.map(|(key, _)| key.clone()).collect();
        failed.iter().filter(|key| self.enqueue(key, now)).count()
    }

    /// Pops the next resource. Without `bursts`, as while bursts are throttled, only resources of namespaces with a
    /// light load are eligible. The resource counts as running until [`Self::done`] is called.
    pub fn get(&mut self, now: Instant, bursts: bool) -> Option<WorkItem> {
        let (ready, running) = (&mut self.ready, &mut self.running);
        let key = ready.pop_where(eligible(running, bursts))?;
        let work = self.work.get_mut(&key)?;
        let waited = match work.state {
            State::Queued { since } => now.saturating_duration_since(since),
            State::Idle | State::Processing { .. } => Duration::ZERO,
        };
        work.state = State::Processing { dirty: false };
        *running.entry(Arc::clone(&key.namespace)).or_default() += 1;
        if let Some(deadline) = work.timer.take() {
            self.timers.remove(&(deadline, key.clone()));
        }
        let load = self.load_of(&key.namespace);
        Some(WorkItem { key, waited, load })
    }

    /// Ends a reconcile. Returns whether the resource was enqueued again because of an event meanwhile.
    pub fn done(&mut self, key: &NamespacedName, action: Action, now: Instant) -> bool {
        if let Some(running) = self.running.get_mut(&key.namespace) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(&key.namespace);
            }
        }
        let Some(work) = self.work.get_mut(key) else {
            return false;
        };
        work.failed = matches!(action, Action::Backoff(_));
        if work.state == (State::Processing { dirty: true }) {
            work.state = State::Queued { since: now };
            self.push_ready(key);
            return true;
        }
        work.state = State::Idle;
        match action {
            Action::AwaitChange => drop(self.work.remove(key)),
            Action::Requeue(pause) | Action::Backoff(pause) => {
                let deadline = now + pause;
                work.timer = Some(deadline);
                self.timers.insert((deadline, key.clone()));
            }
        }
        false
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.first().map(|(deadline, _)| *deadline)
    }

    /// The load of a namespace: its running and waiting resources.
    #[must_use]
    pub fn load_of(&self, namespace: &str) -> Load {
        load_of(&self.running, namespace, self.ready.waiting(namespace))
    }

    /// Whether [`Self::get`] would return a resource.
    #[must_use]
    pub fn has_eligible(&self, bursts: bool) -> bool {
        self.ready.any_where(eligible(&self.running, bursts))
    }

    /// How many resources are queued.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.ready.len()
    }

    /// Forgets an idle resource. A queued or running one is kept: its next reconcile finds that it is gone.
    pub fn remove(&mut self, key: &NamespacedName) {
        let is_idle = |work: &&mut Item| work.state == State::Idle;
        let Some(work) = self.work.get_mut(key).filter(is_idle) else {
            return;
        };
        if let Some(deadline) = work.timer {
            self.timers.remove(&(deadline, key.clone()));
        }
        self.work.remove(key);
    }

    fn push_ready(&mut self, key: &NamespacedName) {
        self.ready.push(&key.namespace, key.clone());
    }

    /// Enqueues the resources whose timers are due. Returns how many were added to the queue.
    pub fn enqueue_due(&mut self, now: Instant) -> usize {
        let mut added = 0;
        while let Some((deadline, _)) = self.timers.first()
            && *deadline <= now
            && let Some((_, key)) = self.timers.pop_first()
        {
            if let Some(work) = self.work.get_mut(&key) {
                work.timer = None;
            }
            added += usize::from(self.enqueue(&key, now));
        }
        added
    }
}

/// The namespaces that [`Queue::get`] may serve.
fn eligible(running: &HashMap<Arc<str>, usize>, bursts: bool) -> impl Fn(&str, usize) -> bool {
    move |namespace, waiting| bursts || load_of(running, namespace, waiting) == Load::Light
}

fn load_of(running: &HashMap<Arc<str>, usize>, namespace: &str, waiting: usize) -> Load {
    let running = running.get(namespace).copied().unwrap_or_default();
    Load::of(running + waiting)
}

#[cfg(test)]
mod tests;
