//! Everything that is there, and then what happens to it.
//!
//! This is what kube's `watcher` does, but for what follows when something fails. An event that
//! could not be read is asked for again. Before a watch is taken up again the API server is asked
//! where its store stands: one that was restored from a backup stands before what was seen, and a
//! watch from the future is silent until it has caught up.

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
    lines::{self, Events},
    pause::Pause,
    recovery::Recovery,
    told::{Telling, Told},
};
use crate::{
    health::{Dependency, explain},
    metrics::Heard,
};

/// How long a watch goes on; shortly before its end the API server sends a bookmark.
const WATCH_TIMEOUT: u32 = 50;
/// A connection on which nothing came for so long is dead.
pub const SILENCE: Duration = Duration::from_secs(55);
/// How long the question may take where the store stands, and the head of a watch. An old connection
/// may turn out dead then, too.
const ANSWER: Duration = Duration::from_secs(5);
/// A watch that ends sooner is not opened again before.
const SHORTEST: Duration = Duration::from_secs(1);

/// What happens to the objects of an API from now on, for as long as somebody listens.
pub fn follow<K>(
    api: Api<K>,
    recovery: Arc<dyn Recovery>,
    watching: Arc<Dependency>,
    heard: Arc<Heard>,
) -> impl Stream<Item = Result<Event<K>>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let follower = Follower {
        restored: recovery.restores(),
        api,
        recovery,
        watching,
        heard,
        state: State::Unknown,
        pause: Pause::default(),
        failed: false,
    };
    futures::stream::unfold(follower, async |mut follower| {
        let item = follower.next().await;
        Some((item, follower))
    })
}

struct Follower<K> {
    api: Api<K>,
    recovery: Arc<dyn Recovery>,
    watching: Arc<Dependency>,
    heard: Arc<Heard>,
    restored: watch::Receiver<u64>,
    state: State<K>,
    pause: Pause,
    failed: bool,
}

enum State<K> {
    /// Nothing is known.
    Unknown,
    /// The API server tells what is there.
    Told(Telling<K>),
    /// Everything up to a version is known, and a watch begins next.
    Known(String),
    /// The same, but the store may stand before it.
    Doubted(String),
    /// A watch goes on.
    Watching(String, Instant, Events<K>),
}

impl<K> Follower<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    async fn next(&mut self) -> Result<Event<K>> {
        // The event before was processed: the stream is asked for another one.
        if let State::Known(version) | State::Watching(version, ..) = &self.state {
            self.heard.processed(version);
        }
        if std::mem::take(&mut self.failed) {
            tokio::time::sleep(self.pause.next()).await;
        }
        loop {
            let watched = matches!(self.state, State::Watching(..));
            let state = std::mem::replace(&mut self.state, State::Unknown);
            let (item, state) = tokio::select! {
                biased;
                // What is known may never have been.
                _ = self.restored.changed() => continue,
                step = step(&self.api, &*self.recovery, state) => step,
            };
            if state.follows_an_answer(watched) {
                self.heard.now();
            }
            match (&state, &item) {
                (State::Watching(..), Some(_)) => self.pause = Pause::default(),
                // Asked where its store stands, it answered: it is there again.
                (State::Known(_) | State::Unknown, None) => self.pause.shorten(),
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

    /// A failure lasts until a watch has begun: before that the API server may have accepted a
    /// connection and answered nothing.
    fn report(&self, state: &State<K>, item: Option<&Result<Event<K>>>) {
        if let Some(Err(error)) = item {
            self.watching.failed(explain(error));
        } else if matches!(state, State::Watching(..)) && self.watching.works() {
            self.recovery.works_again();
        }
    }
}

impl<K> State<K> {
    /// Whether only an answer of the API server leads to this state. A watch that ends may have been
    /// cut off.
    fn follows_an_answer(&self, watched: bool) -> bool {
        match self {
            Self::Watching(..) | Self::Told(Telling::Streams(_) | Telling::Pages(..)) => true,
            Self::Known(_) => !watched,
            Self::Told(Telling::Asked) | Self::Unknown | Self::Doubted(_) => false,
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
        State::Unknown => (Some(Ok(Event::Init)), State::Told(Telling::Asked)),
        State::Told(telling) => hear(api, telling).await,
        State::Known(version) => begin(api, version).await,
        State::Doubted(version) => doubt(api, recovery, version).await,
        State::Watching(version, began, events) => listen(version, began, events).await,
    }
}

async fn hear<K>(api: &Api<K>, telling: Telling<K>) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    match telling.next(api).await {
        Told::More(event, telling) => (event.map(Ok), State::Told(telling)),
        Told::All(version) => (Some(Ok(Event::InitDone)), State::Known(version)),
        Told::Failed(error) => (Some(Err(error)), State::Unknown),
    }
}

async fn begin<K>(api: &Api<K>, version: String) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let parameters = WatchParams::default().timeout(WATCH_TIMEOUT);
    match in_time(lines::watch(api, &parameters, &version)).await {
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

/// A version that the store no longer has cannot be watched from.
fn after_failure<K>(version: String, expired: bool) -> State<K> {
    if expired {
        State::Unknown
    } else {
        State::Doubted(version)
    }
}

/// Asks where the store stands now.
async fn doubt<K>(
    api: &Api<K>,
    recovery: &dyn Recovery,
    version: String,
) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Clone + Debug + DeserializeOwned,
{
    let now = match in_time(api.list(&ListParams::default().limit(1))).await {
        Ok(list) => list.metadata.resource_version.unwrap_or_default(),
        Err(error) => {
            let failed = Some(Err(Error::WatchStartFailed(error)));
            return (failed, State::Doubted(version));
        }
    };
    if !is_before(&now, &version) {
        return (None, State::Known(version));
    }
    tracing::warn!(
        now,
        seen = version,
        "the store of the API server stands before what was seen of it, as after a restore; everything is listed anew"
    );
    recovery.store_restored();
    (None, State::Unknown)
}

async fn in_time<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    let late = |_| {
        let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
        kube::Error::Service(error.into())
    };
    let answer = tokio::time::timeout(ANSWER, request).await;
    answer.map_err(late)?
}

/// Kubernetes orders versions as numbers.
fn is_before(now: &str, seen: &str) -> bool {
    let number = |version: &str| version.parse::<u64>().ok();
    number(now)
        .zip(number(seen))
        .is_some_and(|(now, seen)| now < seen)
}

async fn listen<K>(
    version: String,
    began: Instant,
    mut events: Events<K>,
) -> (Option<Result<Event<K>>>, State<K>)
where
    K: Resource,
{
    let Ok(event) = tokio::time::timeout(SILENCE, events.next()).await else {
        return (None, State::Doubted(version));
    };
    let (event, object_version) = match event {
        None => {
            tokio::time::sleep_until(began + SHORTEST).await;
            return (None, State::Known(version));
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
                State::Doubted(version),
            );
        }
    };
    match object_version.filter(|version| !version.is_empty()) {
        Some(version) => (Some(Ok(event)), State::Watching(version, began, events)),
        None => (Some(Err(Error::NoResourceVersion)), State::Unknown),
    }
}
