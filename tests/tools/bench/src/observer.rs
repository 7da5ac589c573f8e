//! What two watches deliver: when targets changed, and the status of resources.

mod reported;

use std::{
    collections::HashMap,
    path::Path,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use tokio::{
    runtime,
    sync::{oneshot, watch},
};

use crate::{
    requests::{Metadata, Object, Requests},
    test_cluster::client,
};
use reported::{Reported, Resource};

/// The name of the threads that read watches.
pub const THREAD: &str = "observer";

/// After this time without an event, the wait fails.
const PATIENCE: Duration = Duration::from_secs(90);

/// The two watches of one namespace.
pub struct Observer {
    seen: Arc<Mutex<Seen>>,
    events: watch::Receiver<u64>,
    _over: watch::Sender<()>,
}

#[derive(Default)]
struct Seen {
    /// When each Secret first changed since the last `forget`.
    secrets: HashMap<String, Instant>,
    resources: HashMap<String, Reported>,
    failure: Option<String>,
}

impl Observer {
    /// Watches a namespace from now on, on a thread and connections of its own, so that the cost of
    /// watching is not counted as cost of the watched.
    pub async fn of(kubeconfig: &Path, namespace: &str) -> Result<Self> {
        let seen = Arc::<Mutex<Seen>>::default();
        let (event_count, events) = watch::channel(0);
        let (over, mut ended) = watch::channel(());
        let (ready, opened) = oneshot::channel();
        let log = Log {
            seen: Arc::clone(&seen),
            event_count,
        };
        let (kubeconfig, namespace) = (kubeconfig.to_owned(), namespace.to_owned());
        let watches = async move {
            let watches = open(&kubeconfig, &namespace, log).await;
            let (watches, outcome) = watches.map_or_else(
                |error| (None, Err(error)),
                |watches| (Some(watches), Ok(())),
            );
            let _ = ready.send(outcome);
            if let Some((secrets, resources)) = watches {
                tokio::select! {
                    () = secrets => {}
                    () = resources => {}
                    _ = ended.changed() => {}
                }
            }
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || runtime.block_on(watches))?;
        opened.await.context("the thread of the watches ended")??;
        Ok(Self {
            seen,
            events,
            _over: over,
        })
    }

    /// The next change of each Secret counts as its first.
    pub fn forget(&self) {
        lock(&self.seen).secrets.clear();
    }

    /// When a Secret first changed since the last [`Self::forget`].
    pub fn changed(&self, secret: &str) -> Option<Instant> {
        lock(&self.seen).secrets.get(secret).copied()
    }

    /// When a resource reported that the pair of this version of the source is published.
    pub fn published(&self, resource: &str, source: &str) -> Option<Instant> {
        let seen = lock(&self.seen);
        let reported = seen.resources.get(resource)?;
        (reported.ready && reported.source == source).then_some(reported.at)
    }

    /// Waits until `check` returns a value, as long as events keep arriving.
    pub async fn until<T>(&self, what: &str, check: impl Fn(&Self) -> Option<T>) -> Result<T> {
        let mut events = self.events.clone();
        loop {
            events.mark_unchanged();
            if let Some(found) = check(self) {
                return Ok(found);
            }
            if let Some(failure) = &lock(&self.seen).failure {
                bail!("{failure}");
            }
            let news = tokio::time::timeout(PATIENCE, events.changed()).await;
            news.with_context(|| format!("nothing happens, but {what} is awaited"))?
                .context("the watches have ended")?;
        }
    }

    /// The same for a check that is too expensive to be repeated at each event.
    pub async fn until_now_and_then(
        &self,
        what: &str,
        mut check: impl FnMut() -> bool,
    ) -> Result<()> {
        loop {
            let now = *self.events.borrow();
            if check() {
                return Ok(());
            }
            self.until(what, |observer| {
                (*observer.events.borrow() != now).then_some(())
            })
            .await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

type Watch = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens the watches of both kinds, from now on.
async fn open(kubeconfig: &Path, namespace: &str, log: Log) -> Result<(Watch, Watch)> {
    let client = client(kubeconfig).await?;
    let (secrets, resources) = (
        Requests::secrets(&client, namespace),
        Requests::resources(&client, namespace),
    );
    let from = (secrets.version().await?, resources.version().await?);
    let secret = |seen: &mut Seen, secret: Object| {
        let Metadata {
            name,
            resource_version,
            ..
        } = secret.metadata;
        seen.secrets.entry(name).or_insert_with(Instant::now);
        resource_version
    };
    let resource = |seen: &mut Seen, resource: Resource| {
        let reported = resource.reported();
        seen.resources.insert(resource.metadata.name, reported);
        resource.metadata.resource_version
    };
    Ok((
        Box::pin(follow(secrets, true, from.0, log.clone(), secret)),
        Box::pin(follow(resources, false, from.1, log, resource)),
    ))
}

/// Stores what a watch delivers, and signals each event.
#[derive(Clone)]
struct Log {
    seen: Arc<Mutex<Seen>>,
    event_count: watch::Sender<u64>,
}

/// Resumes when the API server ends the watch, as it does with a slow client. `take` returns the
/// version of the object.
async fn follow<K: Clone + DeserializeOwned + Send + 'static>(
    requests: Requests,
    metadata: bool,
    mut version: String,
    log: Log,
    take: impl Fn(&mut Seen, K) -> String,
) {
    let failure = loop {
        let events = match requests.watch::<K>(metadata, &version).await {
            Ok(events) => events,
            Err(error) => break format!("{error:#}"),
        };
        let mut events = pin!(events);
        let refused = loop {
            match events.next().await {
                Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                    version = take(&mut lock(&log.seen), object);
                    log.event_count.send_modify(|count| *count += 1);
                }
                Some(Ok(WatchEvent::Bookmark(mark))) => {
                    version = mark.metadata.resource_version;
                }
                Some(Ok(WatchEvent::Deleted(_))) => {}
                Some(Ok(WatchEvent::Error(status))) => break Some(status.message),
                Some(Err(_)) | None => break None,
            }
        };
        if let Some(refused) = refused {
            break refused;
        }
    };
    lock(&log.seen).failure = Some(failure);
    log.event_count.send_modify(|count| *count += 1);
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
