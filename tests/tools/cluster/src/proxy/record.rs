//! The proxy's record: every request, and counts of requests.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::head::{RequestHead, Verb};

/// A request that the proxy received.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The request's head; its fields can be read from the record directly.
    pub head: RequestHead,
    /// Bytes of the request's body.
    pub request_bytes: usize,
    /// The status of the API server's answer; if the API server was never asked, of the injected answer.
    pub status: Option<u16>,
    /// When the request had been read.
    pub started: Instant,
    /// When the answer's last byte was sent, or its connection ended.
    pub finished: Option<Instant>,
}

impl Deref for Recorded {
    type Target = RequestHead;

    fn deref(&self) -> &RequestHead {
        &self.head
    }
}

/// Requests by kind. Every request is counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads of one object.
    pub gets: usize,
    /// Reads of a collection, each page, and watches that begin with the existing objects.
    pub lists: usize,
    /// Other watches.
    pub watches: usize,
    /// Writes by resource, with its subresource if there is one: `secrets`, `pods/status`.
    pub writes: BTreeMap<String, usize>,
    /// Writes of events.
    pub events: usize,
    /// Dry runs of writes.
    pub rehearsals: usize,
    /// Paths without a resource: discovery, `/version`.
    pub other: usize,
}

impl Counts {
    /// Counts these requests.
    #[must_use]
    pub fn of(requests: &[Recorded]) -> Self {
        let mut counts = Self::default();
        for request in requests {
            match request.verb {
                _ if request.resource.is_empty() => counts.other += 1,
                Verb::Get => counts.gets += 1,
                _ if request.asks_for_all() => counts.lists += 1,
                Verb::Watch => counts.watches += 1,
                _ if request.resource == "events" => counts.events += 1,
                _ if request.is_rehearsal() => counts.rehearsals += 1,
                _ => *counts.writes.entry(request.what()).or_default() += 1,
            }
        }
        counts
    }

    /// All writes except events and dry runs.
    #[must_use]
    pub fn written(&self) -> usize {
        self.writes.values().sum()
    }
}

#[derive(Clone, Copy, Debug)]
struct Activity {
    in_flight: usize,
    last: Instant,
}

/// The requests of a proxy, including later ones.
#[derive(Clone, Debug)]
pub struct Record(pub(super) Arc<Log>);

impl Record {
    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.since(0)
    }
}

/// The log that all connections write to.
#[derive(Debug)]
pub(crate) struct Log {
    requests: Mutex<Vec<Recorded>>,
    /// By resource, without watches.
    activity: watch::Sender<BTreeMap<String, Activity>>,
}

impl Log {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::default(),
            activity: watch::Sender::default(),
        })
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(self: &Arc<Self>, head: RequestHead, request_bytes: usize) -> Entry {
        let started = Instant::now();
        let resource = (head.verb != Verb::Watch).then(|| head.resource.clone());
        let index = {
            let mut requests = self.requests();
            requests.push(Recorded {
                head,
                request_bytes,
                status: None,
                started,
                finished: None,
            });
            requests.len() - 1
        };
        let entry = Entry {
            log: Arc::clone(self),
            index,
            resource,
        };
        entry.active(|activity| activity.in_flight += 1);
        entry
    }

    pub(crate) fn len(&self) -> usize {
        self.requests().len()
    }

    pub(crate) fn since(&self, mark: usize) -> Vec<Recorded> {
        self.requests().iter().skip(mark).cloned().collect()
    }

    pub(crate) async fn quiet(&self, span: Duration, ignored: &[&str]) {
        let called = Instant::now();
        let mut changes = self.activity.subscribe();
        loop {
            let (busy, last) = last(&changes.borrow_and_update(), ignored, called);
            let rest = span.saturating_sub(last.elapsed());
            if busy {
                let _ = changes.changed().await;
            } else if rest.is_zero() {
                return;
            } else {
                let _ = tokio::time::timeout(rest, changes.changed()).await;
            }
        }
    }
}

fn last(all: &BTreeMap<String, Activity>, ignored: &[&str], called: Instant) -> (bool, Instant) {
    all.iter()
        .filter(|(resource, _)| !ignored.contains(&resource.as_str()))
        .fold((false, called), |(busy, last), (_, activity)| {
            (busy || activity.in_flight > 0, last.max(activity.last))
        })
}

/// The open record of one request; dropping it records the end.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Arc<Log>,
    index: usize,
    resource: Option<String>,
}

impl Entry {
    /// The first status is kept: an answer injected after a commit does not change what happened.
    pub(crate) fn answered(&self, status: u16) {
        if let Some(request) = self.log.requests().get_mut(self.index) {
            request.status.get_or_insert(status);
        }
    }

    fn active(&self, change: impl FnOnce(&mut Activity)) {
        let Some(resource) = &self.resource else {
            return;
        };
        let now = Instant::now();
        self.log.activity.send_modify(|all| {
            let activity = all.entry(resource.clone()).or_insert(Activity {
                in_flight: 0,
                last: now,
            });
            activity.last = now;
            change(activity);
        });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(request) = self.log.requests().get_mut(self.index) {
            request.finished = Some(Instant::now());
        }
        self.active(|activity| activity.in_flight -= 1);
    }
}
