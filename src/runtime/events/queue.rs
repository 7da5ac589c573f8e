//! Events that wait to be published.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::future::FusedFuture;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;

use super::EventRequest;
use crate::domain::{fair_queue::FairQueue, lock::lock};

/// The most events that wait: more than the resources that one operator is built for, some 5 MB at the most.
pub const MAX_QUEUED: usize = 16_384;

/// Events that wait to be published, of each namespace in turn. If too many wait, the oldest event of the namespace
/// with the most is dropped: a flood of one namespace takes no event from another.
#[derive(Default)]
pub struct EventQueue {
    waiting: Mutex<FairQueue<EventRequest>>,
    changed: Notify,
    pub(super) lost: Counter,
}

impl EventQueue {
    /// An empty queue, and the counter of events that are not published.
    #[must_use]
    pub fn new(lost: Counter) -> Self {
        Self {
            lost,
            ..Self::default()
        }
    }

    /// Adds an event.
    pub fn add(&self, request: EventRequest) {
        let namespace = Arc::clone(&request.key.namespace);
        let dropped = {
            let mut waiting = lock(&self.waiting);
            waiting.push(&namespace, request);
            (waiting.len() > MAX_QUEUED).then(|| waiting.pop_longest())
        };
        if let Some(dropped) = dropped.flatten() {
            self.lost.inc();
            tracing::warn!(
                resource = %dropped.key,
                reason = &*dropped.reason,
                "an event is dropped, since {MAX_QUEUED} wait to be published"
            );
        }
        self.changed.notify_one();
    }

    /// The next event; `None` once `end` completed and no event waits.
    pub(super) async fn next<F>(&self, end: &mut Pin<&mut F>) -> Option<EventRequest>
    where
        F: FusedFuture<Output = ()>,
    {
        loop {
            if let Some(next) = lock(&self.waiting).pop() {
                return Some(next);
            }
            if end.is_terminated() {
                return None;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = end.as_mut() => {}
            }
        }
    }
}
