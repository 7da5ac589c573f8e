//! What users do, and how long the operator takes to react, as observed by two watches.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    objects,
    observer::Observer,
    pairs::{pair, unused},
    space::{Space, Versions},
    test_cluster::TestCluster,
};

/// A namespace that the operator serves.
pub struct Ours {
    pub space: Space,
    observer: Observer,
    versions: Versions,
}

/// A burst: the time until the last status was written, and the wait for each target.
pub struct Burst {
    pub took: Duration,
    pub waits: Vec<f64>,
}

type Sent = Arc<Mutex<HashMap<usize, Instant>>>;

impl Ours {
    /// Creates all sources and no resources.
    pub async fn seed(test_cluster: &TestCluster, space: Space) -> Result<Self> {
        let versions = space.seed().await?;
        let observer = Observer::of(test_cluster.cluster.kubeconfig(), &space.namespace).await?;
        Ok(Self {
            space,
            observer,
            versions,
        })
    }

    /// Creates all resources at once.
    pub async fn create(&self) -> Result<Burst> {
        let sent = Sent::default();
        self.observer.forget();
        let began = Instant::now();
        let times = Arc::clone(&sent);
        let post = move |space: Space, number| {
            note(&times, number);
            async move {
                let resource = objects::resource(number);
                space.resources.post(&resource).await.map(drop)
            }
        };
        self.space.each(post).await?;
        self.outcome(began, &sent).await
    }

    /// Rotates all sources at once.
    pub async fn rotate(&self) -> Result<Burst> {
        let (sent, round) = (Sent::default(), self.space.round());
        self.observer.forget();
        let began = Instant::now();
        let (times, versions) = (Arc::clone(&sent), self.versions.clone());
        let patch = move |space: Space, number| {
            note(&times, number);
            let versions = versions.clone();
            async move {
                let patch = objects::rotated(&space.pair_of(number, round));
                let source = space
                    .secrets
                    .patch(&objects::source_name(number), &patch)
                    .await?;
                versions.set(number, source.metadata.resource_version);
                Ok(())
            }
        };
        self.space.each(patch).await?;
        self.outcome(began, &sent).await
    }

    /// One rotation: returns the time until the watch delivered the target, in milliseconds, once
    /// the status is written too.
    pub async fn alone(&self, turn: usize) -> Result<f64> {
        let number = turn % self.space.shape.count.max(1);
        let patch = objects::rotated(&pair(unused(1)));
        let (source, target) = (objects::source_name(number), objects::target_name(number));
        self.observer.forget();
        let began = Instant::now();
        let written = self.space.secrets.patch(&source, &patch).await?;
        let version = written.metadata.resource_version;
        let seen = |observer: &Observer| observer.changed(&target);
        let changed = self.observer.until("a target", seen).await?;
        let resource = objects::resource_name(number);
        let reported = |observer: &Observer| observer.published(&resource, &version);
        self.observer.until("a status", reported).await?;
        self.versions.set(number, version);
        Ok(changed.saturating_duration_since(began).as_secs_f64() * 1e3)
    }

    async fn outcome(&self, began: Instant, sent: &Sent) -> Result<Burst> {
        let versions = self.versions.all();
        let settled = |number: usize, version: &String| {
            let written = self.observer.changed(&objects::target_name(number))?;
            let resource = objects::resource_name(number);
            let reported = self.observer.published(&resource, version)?;
            Some((number, written, reported))
        };
        let mut times = Vec::with_capacity(versions.len());
        self.observer
            .until_now_and_then("a burst", || {
                // Settled resources are not checked again, to save CPU time for the operator.
                let rest = versions.iter().enumerate().skip(times.len());
                let more = rest.map_while(|(number, version)| settled(number, version));
                times.extend(more.collect::<Vec<_>>());
                times.len() == versions.len()
            })
            .await?;
        let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        let last = times
            .iter()
            .map(|(_, _, reported)| *reported)
            .max()
            .unwrap_or(began);
        let wait = |(number, written, _): &(usize, Instant, Instant)| {
            let from = sent.get(number).copied().unwrap_or(began);
            written.saturating_duration_since(from).as_secs_f64()
        };
        Ok(Burst {
            took: last.saturating_duration_since(began),
            waits: times.iter().map(wait).collect(),
        })
    }
}

fn note(sent: &Sent, number: usize) {
    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    sent.insert(number, Instant::now());
}
