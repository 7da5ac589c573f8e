//! A namespace with sources and resources, and the key pairs that they share.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;

use crate::{
    args::Args,
    load::run_concurrently,
    objects,
    pairs::{pair, unused},
    requests::Requests,
    test_cluster::TestCluster,
};

/// Sources and resources in one namespace.
#[derive(Clone)]
pub struct Space {
    pub namespace: Arc<str>,
    pub secrets: Requests,
    pub resources: Requests,
    pub shape: Shape,
    first: usize,
}

/// The numbers of resources, of concurrent clients, and of pairs that the resources share.
#[derive(Clone, Copy)]
pub struct Shape {
    pub count: usize,
    pub clients: usize,
    pub pairs: usize,
}

impl Space {
    /// A new namespace for `count` resources.
    pub async fn open(
        test_cluster: &TestCluster,
        args: &Args,
        prefix: &str,
        count: usize,
    ) -> Result<Self> {
        let namespace = test_cluster.cluster.namespace(prefix).await?;
        let shape = Shape {
            count,
            clients: args.clients,
            pairs: args.pairs.max(1),
        };
        Ok(Self {
            secrets: Requests::secrets(&test_cluster.client, &namespace),
            resources: Requests::resources(&test_cluster.client, &namespace),
            namespace: namespace.into(),
            shape,
            first: unused(shape.pairs),
        })
    }

    /// The first pair of a resource.
    pub fn first_pair(&self, number: usize) -> (String, String) {
        self.pair_of(number, self.first)
    }

    /// The pair of a resource in a round of rotations.
    pub fn pair_of(&self, number: usize, round: usize) -> (String, String) {
        pair(round + number % self.shape.pairs)
    }

    /// Reserves pairs for a round in which every source is rotated.
    pub fn round(&self) -> usize {
        unused(self.shape.pairs)
    }

    /// Does this for every resource, with the clients of the shape.
    pub async fn each<W, F>(&self, work: W) -> Result<Duration>
    where
        W: Fn(Self, usize) -> F + Clone + Send + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let space = self.clone();
        run_concurrently(self.shape.clients, self.shape.count, move |number| {
            work(space.clone(), number)
        })
        .await
    }

    /// Creates all sources, and returns their versions.
    pub async fn seed(&self) -> Result<Versions> {
        let versions = Versions::new(self.shape.count);
        let kept = versions.clone();
        self.each(move |space, number| {
            let kept = kept.clone();
            async move {
                let source = objects::source(number, &space.first_pair(number));
                let written = space.secrets.post(&source).await?;
                kept.set(number, written.metadata.resource_version);
                Ok(())
            }
        })
        .await?;
        Ok(versions)
    }

    /// Deletes everything, the targets first: nothing is left for the garbage collector.
    pub async fn clear(&self) -> Result<()> {
        self.each(|space, number| async move {
            space.secrets.delete(&objects::target_name(number)).await?;
            space
                .resources
                .delete(&objects::resource_name(number))
                .await?;
            space.secrets.delete(&objects::source_name(number)).await
        })
        .await?;
        Ok(())
    }
}

/// The present version of each source.
#[derive(Clone)]
pub struct Versions(Arc<Mutex<Vec<String>>>);

impl Versions {
    fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(vec![String::new(); count])))
    }

    pub fn set(&self, number: usize, version: String) {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = versions.get_mut(number) {
            *place = version;
        }
    }

    pub fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
