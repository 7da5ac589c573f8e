//! What two watches see: of the targets when they changed, of the resources what they say.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use kube::{Client, core::WatchEvent};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{sync::watch, task::JoinHandle};

use crate::requests::{Metadata, Object, Requests};

/// Nothing has been seen for so long: it is stuck.
const PATIENCE: Duration = Duration::from_secs(90);

/// The two watches of one namespace.
pub struct Sightings {
    seen: Arc<Mutex<Seen>>,
    events: watch::Receiver<u64>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Default)]
struct Seen {
    /// When each Secret changed first since it was last asked to forget.
    secrets: HashMap<String, Instant>,
    resources: HashMap<String, Said>,
    failure: Option<String>,
}

/// What a resource says: that the pair of this version of the source is published.
#[derive(Clone, Debug)]
pub struct Said {
    pub source: String,
    pub ready: bool,
    pub at: Instant,
}

#[derive(Clone, Deserialize)]
struct Resource {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Status {
    conditions: Vec<Condition>,
    source: Source,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    resource_version: String,
}

impl Sightings {
    /// Watches a namespace from now on.
    pub async fn of(client: &Client, namespace: &str) -> Result<Self> {
        let seen = Arc::<Mutex<Seen>>::default();
        let (count, events) = watch::channel(0);
        let (secrets, resources) = (
            Requests::secrets(client, namespace),
            Requests::resources(client, namespace),
        );
        let from = (secrets.version().await?, resources.version().await?);
        let log = |tell: &watch::Sender<u64>| Log {
            seen: Arc::clone(&seen),
            tell: tell.clone(),
        };
        let secrets = follow(
            secrets,
            true,
            from.0,
            log(&count),
            |seen, secret: Object| {
                let Metadata {
                    name,
                    resource_version,
                    ..
                } = secret.metadata;
                seen.secrets.entry(name).or_insert_with(Instant::now);
                resource_version
            },
        );
        let resources = follow(
            resources,
            false,
            from.1,
            log(&count),
            |seen, resource: Resource| {
                let said = said(&resource.status);
                seen.resources.insert(resource.metadata.name, said);
                resource.metadata.resource_version
            },
        );
        Ok(Self {
            seen,
            events,
            tasks: [secrets, resources],
        })
    }

    /// The next change of each Secret counts as its first.
    pub fn forget(&self) {
        lock(&self.seen).secrets.clear();
    }

    /// When a Secret changed first since the last [`Self::forget`].
    pub fn changed(&self, secret: &str) -> Option<Instant> {
        lock(&self.seen).secrets.get(secret).copied()
    }

    /// When a resource said that the pair of this version of the source is published.
    pub fn published(&self, resource: &str, source: &str) -> Option<Instant> {
        let seen = lock(&self.seen);
        let said = seen.resources.get(resource)?;
        (said.ready && said.source == source).then_some(said.at)
    }

    /// Waits for what `check` looks for, for as long as there is something new to see.
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

    /// The same for a check that is too dear to be done at each change.
    pub async fn until_now_and_then<T>(
        &self,
        what: &str,
        check: impl Fn(&Self) -> Option<T>,
    ) -> Result<T> {
        loop {
            let now = *self.events.borrow();
            if let Some(found) = check(self) {
                return Ok(found);
            }
            self.until(what, |sightings| {
                (*sightings.events.borrow() != now).then_some(())
            })
            .await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Sightings {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn said(status: &Status) -> Said {
    let mut conditions = status.conditions.iter();
    Said {
        source: status.source.resource_version.clone(),
        ready: conditions.any(|condition| condition.kind == "Ready" && condition.status == "True"),
        at: Instant::now(),
    }
}

/// Where a watch writes what it sees, and says that there is news.
struct Log {
    seen: Arc<Mutex<Seen>>,
    tell: watch::Sender<u64>,
}

/// Goes on where it was when the API server ends the watch, as it does with one that is slow.
/// `take` returns the version of what it took.
fn follow<K: Clone + DeserializeOwned + Send + 'static>(
    requests: Requests,
    metadata: bool,
    mut version: String,
    log: Log,
    take: impl Fn(&mut Seen, K) -> String + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
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
                        log.tell.send_modify(|count| *count += 1);
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
        log.tell.send_modify(|count| *count += 1);
    })
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(conditions: &serde_json::Value) -> Said {
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": "orders", "generation": 1 },
            "status": {
                "observedGeneration": 1, "conditions": conditions,
                "source": { "uid": "u", "resourceVersion": "7" },
            },
        });
        let object: Resource = serde_json::from_value(object).expect("a resource");
        said(&object.status)
    }

    #[test]
    fn a_resource_that_is_ready_says_of_which_version() {
        let said = resource(&json!([
            { "type": "Verified", "status": "False", "reason": "x" },
            { "type": "Ready", "status": "True", "reason": "Published" },
        ]));
        assert!(said.ready);
        assert_eq!(said.source, "7");
    }

    #[test]
    fn another_condition_that_is_true_does_not_make_it_ready() {
        let said = resource(&json!([
            { "type": "Ready", "status": "False" },
            { "type": "Published", "status": "True" },
        ]));
        assert!(!said.ready);
    }

    #[test]
    fn a_resource_without_a_status_says_nothing() {
        let object = json!({ "metadata": { "name": "orders" } });
        let object: Resource = serde_json::from_value(object).expect("a resource");
        let said = said(&object.status);
        assert!(!said.ready && said.source.is_empty());
    }
}
