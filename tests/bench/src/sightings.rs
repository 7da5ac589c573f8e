//! What two watches see: of the targets when they changed, of the resources what they say.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt};
use kube::{Client, core::WatchEvent};
use serde::Deserialize;
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
        let secrets = Requests::secrets(client, namespace)
            .watch::<Object>(true)
            .await?;
        let resources = Requests::resources(client, namespace)
            .watch::<Resource>(false)
            .await?;
        let secrets = note(
            secrets.boxed(),
            &seen,
            count.clone(),
            |seen, secret: Object| {
                let now = Instant::now();
                seen.secrets.entry(secret.metadata.name).or_insert(now);
            },
        );
        let resources = note(
            resources.boxed(),
            &seen,
            count,
            |seen, resource: Resource| {
                let said = said(&resource.status);
                seen.resources.insert(resource.metadata.name, said);
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

fn note<K: Clone + Send + 'static>(
    mut events: impl futures::Stream<Item = Result<WatchEvent<K>>> + Send + Unpin + 'static,
    seen: &Arc<Mutex<Seen>>,
    count: watch::Sender<u64>,
    take: impl Fn(&mut Seen, K) + Send + 'static,
) -> JoinHandle<()> {
    let seen = Arc::clone(seen);
    tokio::spawn(async move {
        let failure = loop {
            match events.try_next().await {
                Ok(Some(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                    take(&mut lock(&seen), object);
                    count.send_modify(|count| *count += 1);
                }
                Ok(Some(WatchEvent::Deleted(_) | WatchEvent::Bookmark(_))) => {}
                Ok(Some(WatchEvent::Error(status))) => break status.message,
                Ok(None) => break "a watch ended".to_owned(),
                Err(error) => break format!("{error:#}"),
            }
        };
        lock(&seen).failure = Some(failure);
        count.send_modify(|count| *count += 1);
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
