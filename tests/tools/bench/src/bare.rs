//! The bare client: it sends the requests of a perfect reconcile, and does nothing else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    objects,
    pairs::{pair, unused},
    requests::{Ignored, Metadata, Requests},
    space::Space,
    test_cluster::TestCluster,
};

/// The bare client in a namespace of its own.
#[derive(Clone)]
pub struct Bare {
    pub space: Space,
    /// Requests of the operator are sent with the operator's account, for the same authorization in the API server.
    secrets: Requests,
    resources: Requests,
    known: Arc<Mutex<HashMap<usize, Known>>>,
}

/// The versions that the next write replaces.
#[derive(Clone, Default)]
struct Known {
    resource: Metadata,
    target: Metadata,
}

impl Bare {
    pub async fn new(test_cluster: &TestCluster, space: Space) -> Result<Self> {
        let operator = test_cluster.operator().await?;
        Ok(Self {
            secrets: Requests::secrets(&operator, &space.namespace),
            resources: Requests::resources(&operator, &space.namespace),
            space,
            known: Arc::default(),
        })
    }

    /// The same watches as the operator's.
    pub async fn watches(&self) -> Result<[Ignored; 2]> {
        let secrets = self.secrets.watch_in_vain(true).await?;
        Ok([secrets, self.resources.watch_in_vain(false).await?])
    }

    /// Sends all creates at once.
    pub async fn create(&self) -> Result<Duration> {
        let bare = self.clone();
        let one = move |_, number| {
            let bare = bare.clone();
            async move { bare.create_one(number).await }
        };
        self.space.each(one).await
    }

    /// Sends all rotations at once.
    pub async fn rotate(&self) -> Result<Duration> {
        let (bare, round) = (self.clone(), self.space.round());
        let one = move |_, number| {
            let bare = bare.clone();
            async move { bare.rotate_one(number, round).await }
        };
        self.space.each(one).await
    }

    async fn create_one(&self, number: usize) -> Result<()> {
        let space = &self.space;
        let resource = space.resources.post(&objects::resource(number)).await?;
        let source = self.secrets.get(&objects::source_name(number)).await?;
        let resource = resource.metadata;
        let target = objects::target(number, &space.first_pair(number), &resource, None);
        let target = self.secrets.post(&target).await?.metadata;
        let known = Known { resource, target };
        self.write_status(number, known, &source.metadata).await
    }

    async fn rotate_one(&self, number: usize, round: usize) -> Result<()> {
        let known = self.of(number);
        let pair = self.space.pair_of(number, round);
        let (source, target) = self.publish(number, &pair, &known).await?;
        self.write_status(number, Known { target, ..known }, &source)
            .await
    }

    /// Sends PATCH, GET and PUT in sequence; returns their time in milliseconds.
    pub async fn alone(&self, turn: usize) -> Result<f64> {
        let number = turn % self.space.shape.count.max(1);
        let known = self.of(number);
        let pair = pair(unused(1));
        let began = Instant::now();
        let (source, target) = self.publish(number, &pair, &known).await?;
        let took = began.elapsed();
        self.write_status(number, Known { target, ..known }, &source)
            .await?;
        Ok(took.as_secs_f64() * 1e3)
    }

    async fn publish(
        &self,
        number: usize,
        pair: &(String, String),
        known: &Known,
    ) -> Result<(Metadata, Metadata)> {
        let name = objects::source_name(number);
        let patch = objects::rotated(pair);
        self.space.secrets.patch(&name, &patch).await?;
        let source = self.secrets.get(&name).await?.metadata;
        let target = objects::target(number, pair, &known.resource, Some(&known.target));
        let name = objects::target_name(number);
        let written = self.secrets.put(&name, &target).await?;
        Ok((source, written.metadata))
    }

    /// Writes the status, and keeps the versions for the next write.
    async fn write_status(&self, number: usize, mut known: Known, source: &Metadata) -> Result<()> {
        let version = &known.resource.resource_version;
        let status = objects::status(number, version, source, &known.target);
        let path = format!("{}/status", objects::resource_name(number));
        known.resource = self.resources.patch(&path, &status).await?.metadata;
        self.known().insert(number, known);
        Ok(())
    }

    fn of(&self, number: usize) -> Known {
        self.known().get(&number).cloned().unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<usize, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
