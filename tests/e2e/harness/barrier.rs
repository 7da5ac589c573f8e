//! Waits for an idle operator, by its metrics: the resource versions up to which its watches have processed events, an
//! empty queue and no reconcile in progress.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use kube::{
    Api, Resource, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::harness::test_env::TestEnv;

/// Written before each check: a deletion changes no version of the remaining objects, but its event precedes the event
/// of this Secret.
pub const MARKER: &str = "barrier-marker";
const VERSION: &str = "staticawscredentials_watch_resource_version{";

/// Names and resource versions of the objects in the namespace.
#[derive(PartialEq, Eq)]
struct Snapshot {
    resources: BTreeMap<String, u64>,
    secrets: BTreeMap<String, u64>,
}

/// The values of one scrape.
struct Scrape(String);

impl TestEnv {
    /// Waits until the operator has processed all events of this namespace, its queue is empty, and nothing changed
    /// meanwhile. Does not wait for timers.
    pub async fn until_idle(&self) -> Result<()> {
        let mut before = None;
        loop {
            let marker = self.mark().await?;
            let now = self.versions().await?;
            if before.as_ref() == Some(&now) {
                return Ok(());
            }
            self.until("the operator has processed all events", async || {
                let scrape = Scrape(self.get_http("/metrics").await?);
                Ok(self.is_done(&scrape, &now, marker).then_some(()))
            })
            .await?;
            before = Some(now);
        }
    }

    /// The same for a namespace that the operator does not watch, or in which nothing can be written: waits only until
    /// the queue is empty and no reconcile is in progress.
    pub async fn until_queue_empty(&self) -> Result<()> {
        self.until("the operator has nothing to do", async || {
            let scrape = Scrape(self.get_http("/metrics").await?);
            Ok(scrape.is_idle().then_some(()))
        })
        .await
    }

    /// Writes the marker, and returns its version.
    async fn mark(&self) -> Result<u64> {
        let patch = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": MARKER, "annotations": { "barrier": number()? } },
        });
        let parameters = PatchParams::apply("barrier").force();
        let marker = self
            .secrets
            .patch_metadata(MARKER, &parameters, &Patch::Apply(patch))
            .await?;
        version(&marker)
    }

    async fn versions(&self) -> Result<Snapshot> {
        let mut secrets = versions(&self.secrets).await?;
        secrets.remove(MARKER);
        Ok(Snapshot {
            resources: versions(&self.resources).await?,
            secrets,
        })
    }

    fn is_done(&self, scrape: &Scrape, now: &Snapshot, marker: u64) -> bool {
        let last = now.resources.values().max().copied().unwrap_or_default();
        scrape.has_processed("StaticAwsCredentials", &self.namespace, last)
            && scrape.has_processed("Secret", &self.namespace, marker)
            && scrape.is_idle()
            && scrape
                .resources(&self.namespace)
                .iter()
                .all(|name| now.resources.contains_key(*name))
    }
}

impl Scrape {
    fn has_processed(&self, kind: &str, namespace: &str, version: u64) -> bool {
        let of = |scope: &str| {
            let labels = format!("{{kind=\"{kind}\",scope=\"{scope}\"}}");
            let mut lines = self.0.lines();
            let line = lines.find(|line| line.starts_with(VERSION) && line.contains(&labels))?;
            line.rsplit(' ').next().map(version_of)
        };
        // One watch serves all namespaces, or each has a watch of its own.
        of(namespace).or_else(|| of("")) >= Some(version)
    }

    fn is_idle(&self) -> bool {
        let idle = [
            "workqueue_depth{",
            "workqueue_unfinished_work_seconds{",
            "controller_runtime_active_workers{",
        ];
        // Calls to an endpoint with an outage count as timers: nothing happens before it answers.
        let asked = self.value("staticawscredentials_sts_awaited ");
        idle.iter().all(|name| self.is_zero(name))
            && asked <= self.value("staticawscredentials_sts_held ")
    }

    fn value(&self, name: &str) -> u64 {
        let mut lines = self.0.lines();
        let line = lines.find(|line| line.starts_with(name));
        version_of(
            line.and_then(|line| line.rsplit(' ').next())
                .unwrap_or_default(),
        )
    }

    fn is_zero(&self, name: &str) -> bool {
        let lines = self.0.lines().filter(|line| line.starts_with(name));
        let mut values = lines.filter_map(|line| line.rsplit(' ').next()).peekable();
        values.peek().is_some() && values.all(|value| value.parse() == Ok(0.0))
    }

    /// The resources of a namespace that have their own series.
    fn resources(&self, namespace: &str) -> BTreeSet<&str> {
        let labels = format!("{{namespace=\"{namespace}\",name=\"");
        let lines = self.0.lines();
        let names = lines.filter_map(|line| line.split_once(&labels)?.1.split('"').next());
        names.collect()
    }
}

async fn versions<K>(api: &Api<K>) -> Result<BTreeMap<String, u64>>
where
    K: Clone + DeserializeOwned + std::fmt::Debug + Resource,
{
    let list = api.list_metadata(&ListParams::default()).await?;
    list.items
        .iter()
        .map(|object| Ok((object.name_any(), version(object)?)))
        .collect()
}

fn version(object: &impl ResourceExt) -> Result<u64> {
    let version = object.resource_version().unwrap_or_default();
    let number = version_of(&version);
    ensure!(number > 0, "{version} is no version");
    Ok(number)
}

/// Kubernetes orders resource versions as numbers. A gauge may have a fraction.
fn version_of(text: &str) -> u64 {
    text.split('.')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// A value that differs for each check.
fn number() -> Result<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(now.as_nanos().to_string())
}
