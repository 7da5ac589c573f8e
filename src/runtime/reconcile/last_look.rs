//! The last check after all restarts: which owners still run pods that started before the pair was delivered?

use std::collections::BTreeSet;

use super::{Driver, with_deadline};
use crate::{
    api::{Published, Restart, RestartScope, WorkloadReference},
    domain::rotation::{Fleets, Laggards, Pod, Pods, Workload, is_older, restart::Blocker},
    error::Error,
    runtime::observe,
};

/// Workloads that are read at most to report why their older pods still run.
const READ: usize = 10;

/// The pods of the namespace as listed by one check. Only `elsewhere` lists them once more: the labels that it compares
/// are read after the first list, which keeps no labels.
#[derive(Debug, Default)]
pub(super) enum SeenPods {
    /// The pods were not listed yet.
    #[default]
    NotYet,
    /// The operator has no right to list pods.
    Refused,
    /// The owners of the pods.
    Seen(Fleets),
}

impl Driver<'_> {
    /// The owners of the namespace's pods; `None` if pods may not be listed.
    pub(super) async fn fleets<'a>(
        &self,
        seen: &'a mut SeenPods,
        wanted: &Restart,
        published: &Published,
    ) -> Result<Option<&'a Fleets>, Error> {
        if matches!(seen, SeenPods::NotYet) {
            let publication = self.publication(published);
            let mut fleets = Fleets::default();
            let see = |pod: &Pod| fleets.add(pod, wanted, publication);
            *seen = match self.see_pods(see).await {
                Ok(()) => SeenPods::Seen(fleets),
                Err(error) if error.is_forbidden() => SeenPods::Refused,
                Err(error) => return Err(error),
            };
        }
        Ok(match seen {
            SeenPods::Seen(fleets) => Some(fleets),
            SeenPods::NotYet | SeenPods::Refused => None,
        })
    }

    /// The result of the last check of the pods, or what prevents the check.
    pub(super) async fn look_last(
        &self,
        wanted: &Restart,
        published: &Published,
        pods: &mut SeenPods,
    ) -> (Result<Option<Blocker>, Error>, Option<Laggards>) {
        match self.laggards(pods, wanted, published).await {
            Ok(Some(laggards)) => (Ok(None), Some(laggards)),
            Ok(None) => (Ok(Some(Blocker::PodsNotListed)), None),
            Err(error) => (Err(error), None),
        }
    }

    /// The owners that still run older pods; `None` if pods may not be listed.
    async fn laggards(
        &self,
        seen: &mut SeenPods,
        wanted: &Restart,
        published: &Published,
    ) -> Result<Option<Laggards>, Error> {
        let Some(fleets) = self.fleets(seen, wanted, published).await? else {
            return Ok(None);
        };
        let mut laggards = Laggards::default();
        let publication = self.publication(published);
        let mut count = 0;
        for owner in fleets.left(wanted) {
            if WorkloadReference::parse(&owner).is_none() {
                laggards.others.push(owner);
                continue;
            }
            count += 1;
            let read = if count > READ {
                None
            } else {
                self.read_workload(&owner).await?
            };
            let is_marked = read.is_none_or(|(_, workload)| publication.restarted(&workload));
            if is_marked {
                laggards.rolling.push(owner);
            } else {
                laggards.unmarked.push(owner);
            }
        }
        if wanted.scope == RestartScope::Workloads {
            let elsewhere = self.elsewhere(fleets, wanted, published).await?;
            laggards.others.extend(elsewhere);
        }
        Ok(Some(laggards))
    }

    /// Owners of older pods that have the template labels of a named workload without replicas.
    async fn elsewhere(
        &self,
        fleets: &Fleets,
        wanted: &Restart,
        published: &Published,
    ) -> Result<BTreeSet<String>, Error> {
        let mut idle = Vec::new();
        for reference in wanted.workloads.iter().flatten() {
            let name = reference.to_string();
            if fleets.of(&name) == Pods::default() {
                let read = self.read_workload(&name).await?;
                let workload = read.map(|(_, workload)| workload);
                idle.extend(workload.filter(Workload::is_idle));
            }
        }
        let mut owners = BTreeSet::new();
        if idle.is_empty() {
            return Ok(owners);
        }
        let publication = self.publication(published);
        let see = |pod: &Pod| {
            let is_like = idle.iter().any(|workload| workload.is_made_like(pod));
            if is_like && is_older(pod, publication) {
                owners.insert(pod.owner());
            }
        };
        self.see_pods(see).await?;
        Ok(owners)
    }

    async fn see_pods(&self, see: impl FnMut(&Pod)) -> Result<(), Error> {
        let (client, namespace) = (&self.context.shared.client, &self.resource.key.namespace);
        with_deadline(observe::pods(client, namespace, see)).await
    }
}
