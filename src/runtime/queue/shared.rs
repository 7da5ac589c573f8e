//! The one queue of the process, with the places of the reconciles in progress.

use std::sync::{Arc, Mutex};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::{Outcome, Queue, WorkItem, places::Places};
use crate::{
    domain::{decide::Cause, fair_queue::FairQueue, index::NamespacedName, lock::lock},
    ops::metrics::{self, Work},
};

/// The queue that all scopes share.
#[derive(Debug)]
pub struct WorkQueue {
    state: Mutex<State>,
    changed: Notify,
    metrics: metrics::Queue,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    places: Places,
    /// Reconciles that AWS has answered. They continue before further ones begin.
    answered: FairQueue<Answered>,
}

/// A reconcile that AWS has answered, and its namespace.
type Answered = (Arc<str>, oneshot::Sender<Place>);

/// The place of a reconcile in progress, until dropped.
#[derive(Debug)]
pub struct Place {
    queue: Arc<WorkQueue>,
    namespace: Arc<str>,
}

/// The place of a reconcile in progress, with its metrics.
pub type Slot = (Place, Work);

impl WorkQueue {
    /// An empty queue, for this many concurrent reconciles.
    #[must_use]
    pub fn new(places: usize, metrics: metrics::Queue) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                queue: Queue::default(),
                places: Places::new(places),
                answered: FairQueue::new(),
            }),
            changed: Notify::new(),
            metrics,
        })
    }

    /// Enqueues resources whose credentials are to be reconciled.
    pub fn enqueue(&self, keys: impl IntoIterator<Item = NamespacedName>, cause: Cause) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        for key in keys {
            if state.queue.enqueue(&key, cause, now) {
                self.metrics.added();
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Enqueues the resources of these namespaces whose last reconcile failed.
    pub fn enqueue_failed(&self, is_meant: impl Fn(&str) -> bool) {
        let added = lock(&self.state)
            .queue
            .enqueue_failed(Instant::now(), is_meant);
        for _ in 0..added {
            self.metrics.added();
        }
        self.changed.notify_one();
    }

    /// Forgets a deleted resource.
    pub fn remove(&self, key: &NamespacedName) {
        lock(&self.state).queue.remove(key);
    }

    /// Whether a resource can be started has changed.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until a resource may have become eligible, for another reason than time.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Starts the next resource of the namespaces that may run, if there is a place for it.
    pub fn start(self: &Arc<Self>, may_run: impl Fn(&str) -> bool) -> Option<(WorkItem, Slot)> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let State { queue, places, .. } = &mut *state;
        if places.is_full() {
            return None;
        }
        let has_room = |namespace: &str| places.has_room(namespace) && may_run(namespace);
        let item = queue.get(now, has_room)?;
        places.begin(&item.key.namespace);
        drop(state);
        let place = self.place(&item.key.namespace);
        let work = self.metrics.started(item.waited);
        Some((item, (place, work)))
    }

    /// Enqueues the resources whose timers are due.
    pub fn enqueue_due(&self) {
        let added = lock(&self.state).queue.enqueue_due(Instant::now());
        for _ in 0..added {
            self.metrics.added();
        }
    }

    /// Whether resources wait.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        lock(&self.state).queue.is_busy()
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        lock(&self.state).queue.next_deadline()
    }

    /// Ends a reconcile.
    pub fn done(&self, key: &NamespacedName, outcome: Outcome) {
        let again = lock(&self.state).queue.done(key, outcome, Instant::now());
        if again {
            self.metrics.added();
            self.changed.notify_one();
        }
    }

    /// Waits for a place, so that a reconcile continues that gave its place up for a request to AWS. A place that comes
    /// after the future was dropped passes to the next reconcile.
    pub async fn resume(self: &Arc<Self>, namespace: &Arc<str>) -> Slot {
        let since = Instant::now();
        self.metrics.added();
        let place = loop {
            let granted = {
                let mut state = lock(&self.state);
                if state.answered.is_empty() && state.places.has_room(namespace) {
                    state.places.resume(namespace);
                    break self.place(namespace);
                }
                let (grant, granted) = oneshot::channel();
                let answered = (Arc::clone(namespace), grant);
                state.answered.push(namespace, answered);
                granted
            };
            self.grant();
            if let Ok(place) = granted.await {
                break place;
            }
        };
        (place, self.metrics.started(since.elapsed()))
    }

    fn place(self: &Arc<Self>, namespace: &Arc<str>) -> Place {
        Place {
            queue: Arc::clone(self),
            namespace: Arc::clone(namespace),
        }
    }

    /// Gives the free places to answered reconciles.
    fn grant(self: &Arc<Self>) {
        // If the reconcile is gone, `send` returns its place, whose drop takes the lock and calls this function.
        while let Some((grant, place)) = self.next_answered() {
            drop(grant.send(place));
        }
    }

    /// The next answered reconcile for which there is a place now.
    fn next_answered(self: &Arc<Self>) -> Option<(oneshot::Sender<Place>, Place)> {
        let mut state = lock(&self.state);
        let State {
            places, answered, ..
        } = &mut *state;
        if places.is_full() {
            return None;
        }
        let has_room = |namespace: &str, _| places.has_room(namespace);
        let (namespace, grant) = answered.pop_where(has_room)?;
        places.resume(&namespace);
        drop(state);
        let place = self.place(&namespace);
        Some((grant, place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.queue.state).places.release(&self.namespace);
        self.queue.grant();
        self.queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
