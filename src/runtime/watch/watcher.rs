//! A stream of all objects, followed by their changes.
//!
//! The same as kube's `watcher`, except after failures. An event that could not be read is
//! requested again. Before a watch resumes, the current version of the store is checked: after a
//! restore from a backup, that version is lower than the last one seen, and a watch from a future
//! version stays silent until the store has caught up.

use std::{fmt::Debug, sync::Arc, time::Duration};

use futures::{Stream, StreamExt};
use kube::{
    Api, Resource, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::watcher::{Error, Event, Result},
};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, time::Instant};

use super::{
    backoff::Backoff,
    initial_list::{InitialList, ListStep},
    lines::{self, Events, IDLE_TIMEOUT},
    recovery::Recovery,
    state::State,
};
use crate::ops::{
    health::{HealthCheck, explain},
    metrics::WatchLiveness,
};

/// Timeout of a watch in seconds; shortly before its end the API server sends a bookmark.
const WATCH_TIMEOUT: u32 = 50;
/// Deadline for checking the version of the store, and for the response headers of a watch. Either
/// request may hit a dead connection.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// A watch that ends sooner than this after its opening is reopened only then.
const MIN_WATCH: Duration = Duration::from_secs(1);

/// All objects of an API and then their changes, until the stream is dropped.
pub fn watch_stream<K>(
    api: Api<K>,
    recovery: Arc<dyn Recovery>,
    health: Arc<HealthCheck>,
    liveness: Arc<WatchLiveness>,
) -> impl Stream<Item = Result<Event<K>>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let watcher = Watcher {
        restored: recovery.restores(),
        api,
        recovery,
        health,
        liveness,
        state: State::Empty,
        pause: Backoff::default(),
        failed: false,
    };
    futures::stream::unfold(watcher, async |mut watcher| {
        let item = watcher.next().await;
        Some((item, watcher))
    })
}

struct Watcher<K> {
    api: Api<K>,
    recovery: Arc<dyn Recovery>,
    health: Arc<HealthCheck>,
    liveness: Arc<WatchLiveness>,
    restored: watch::Receiver<u64>,
    state: State<K>,
    pause: Backoff,
    failed: bool,
}

impl<K> Watcher<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    async fn next(&mut self) -> Result<Event<K>> {
        // A request for the next event means that the previous one was processed.
        if let State::InitListed(version) | State::Watching(version, ..) = &self.state {
            self.liveness.processed(version);
        }
        if std::mem::take(&mut self.failed) {
            tokio::time::sleep(self.pause.next()).await;
        }
        loop {
            let was_watching = matches!(self.state, State::Watching(..));
            let state = std::mem::replace(&mut self.state, State::Empty);
            let (item, state) = tokio::select! {
                biased;
                // The store was restored: known objects may no longer exist, so a new list begins.
                _ = self.restored.changed() => continue,
                step = step(&self.api, &*self.recovery, state) => step,
            };
            if state.implies_response(was_watching) {
                self.liveness.now();
            }
            match (&state, &item) {
                (State::Watching(..), Some(_)) => self.pause = Backoff::default(),
                // The version check was answered, or a watch ended: the API server was reachable.
                (State::InitListed(_) | State::Empty, None) => self.pause.shorten(),
                _ => {}
            }
            self.report(&state, item.as_ref());
            self.state = state;
            if let Some(item) = item {
                self.failed = item.is_err();
                return item;
            }
        }
    }

    /// Only an open watch ends a failure: before that, the API server may have accepted a
    /// connection without ever answering.
    fn report(&self, state: &State<K>, item: Option<&Result<Event<K>>>) {
        if let Some(Err(error)) = item {
            self.health.record_error(explain(error));
        } else if matches!(state, State::Watching(..)) && self.health.record_ok() {
            self.recovery.on_recovered();
        }
    }
}

async fn step<K>(
    api: &Api<K>,
    recovery: &dyn Recovery,
    state: State<K>,
) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    match state {
        State::Empty => (
            Some(Ok(Event::Init)),
            State::InitialList(InitialList::NotRequested),
        ),
        State::InitialList(list) => poll_initial_list(api, list).await,
        State::InitListed(version) => start_watch(api, version).await,
        State::Suspect(version) => check_store_revision(api, recovery, version).await,
        State::Watching(version, began, events) => poll_watch(version, began, events).await,
    }
}

async fn poll_initial_list<K>(
    api: &Api<K>,
    list: InitialList<K>,
) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    match list.next(api).await {
        ListStep::More(event, list) => (event.map(Ok), State::InitialList(list)),
        ListStep::All(version) => (Some(Ok(Event::InitDone)), State::InitListed(version)),
        ListStep::Failed(error) => (Some(Err(error)), State::Empty),
    }
}

async fn start_watch<K>(api: &Api<K>, version: String) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let parameters = WatchParams::default().timeout(WATCH_TIMEOUT);
    match with_timeout(lines::watch(api, &parameters, &version)).await {
        Ok(events) => {
            let watching = State::Watching(version, Instant::now(), events);
            (None, watching)
        }
        Err(error) => {
            let expired = matches!(&error, kube::Error::Api(status) if status.code == 410);
            let error = Some(Err(Error::WatchStartFailed(error)));
            (error, after_failure(version, expired))
        }
    }
}

/// A watch cannot begin at an expired (compacted) version, so a new list begins.
fn after_failure<K>(version: String, expired: bool) -> State<K> {
    if expired {
        State::Empty
    } else {
        State::Suspect(version)
    }
}

/// Checks whether the store's current version is lower than the last one seen: it was restored then.
async fn check_store_revision<K>(
    api: &Api<K>,
    recovery: &dyn Recovery,
    version: String,
) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Clone + Debug + DeserializeOwned,
{
    let now = match with_timeout(api.list(&ListParams::default().limit(1))).await {
        Ok(list) => list.metadata.resource_version.unwrap_or_default(),
        Err(error) => {
            let failed = Some(Err(Error::WatchStartFailed(error)));
            return (failed, State::Suspect(version));
        }
    };
    if !is_before(&now, &version) {
        return (None, State::InitListed(version));
    }
    tracing::warn!(
        now,
        seen = version,
        "the store of the API server is older than what the watch has seen, as after a restore; everything is listed again"
    );
    recovery.on_etcd_restore();
    (None, State::Empty)
}

async fn with_timeout<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    let timed_out = |_| {
        let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
        kube::Error::Service(error.into())
    };
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, request).await;
    answer.map_err(timed_out)?
}

/// Kubernetes orders resource versions as numbers.
fn is_before(now: &str, seen: &str) -> bool {
    let number = |version: &str| version.parse::<u64>().ok();
    number(now)
        .zip(number(seen))
        .is_some_and(|(now, seen)| now < seen)
}

async fn poll_watch<K>(
    version: String,
    began: Instant,
    mut events: Events<K>,
) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource,
{
    let Ok(event) = tokio::time::timeout(IDLE_TIMEOUT, events.next()).await else {
        return (None, State::Suspect(version));
    };
    let (event, object_version) = match event {
        None => {
            tokio::time::sleep_until(began + MIN_WATCH).await;
            return (None, State::InitListed(version));
        }
        Some(Ok(WatchEvent::Bookmark(bookmark))) => {
            let version = bookmark.metadata.resource_version;
            return (None, State::Watching(version, began, events));
        }
        Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
            let version = object.resource_version();
            (Event::Apply(object), version)
        }
        Some(Ok(WatchEvent::Deleted(object))) => {
            let version = object.resource_version();
            (Event::Delete(object), version)
        }
        Some(Ok(WatchEvent::Error(status))) => {
            let expired = status.code == 410;
            let error = Some(Err(Error::WatchError(status.boxed())));
            return (error, after_failure(version, expired));
        }
        Some(Err(error)) => {
            return (
                Some(Err(Error::WatchFailed(error))),
                State::Suspect(version),
            );
        }
    };
    match object_version.filter(|version| !version.is_empty()) {
        Some(version) => (Some(Ok(event)), State::Watching(version, began, events)),
        None => (Some(Err(Error::NoResourceVersion)), State::Empty),
    }
}
