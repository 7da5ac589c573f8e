//! After a rotation: which consumers hold the previous key pair, and which workloads are restarted? Checked until
//! the previous key is unused and all restarts are done.

use std::time::Duration;

use super::{
    Driver,
    begin::{now, now_in_seconds},
    last_look::SeenPods,
    with_deadline,
};
use crate::{
    api::{Previous, Published, StaticAwsCredentialsStatus},
    domain::rotation::{
        self, Assessment, Fleets, OldKeyHolder, Own, Pod, Publication, Recheck, restart,
    },
    error::Error,
    runtime::observe,
};

impl Driver<'_> {
    /// Checks the consumers if a check is due, and returns when the next check is due.
    pub(super) async fn follow_consumers(&mut self) -> Result<Option<Duration>, Error> {
        let resource = self.resource;
        let lists = self.context.shared.lists_consumers;
        let held = rotation::is_open(self.run.status()).is_some() && lists;
        let open = held || restart::in_progress(self.run.status());
        let published = self.run.status().published.clone();
        let kubelet = self.context.shared.kubelet_sync_period;
        let superseded = self.run.status().previous.as_ref().filter(|_| held);
        let superseded = superseded.map(|previous| rotation::since(previous, kubelet));
        let delivered = published.as_ref();
        let delivered = delivered.map(|published| rotation::propagated_at(published, kubelet));
        let since = superseded.max(delivered);
        let Some(since) = since.filter(|_| open && !resource.suspend && !resource.deleting) else {
            return Ok(None);
        };
        let first = since.duration_since(now_in_seconds());
        // A publication time in the future, e.g. after the clock was set back, counts as now.
        let first = Duration::try_from(first).unwrap_or_default().min(kubelet);
        let began = now();
        let wait = self.context.with_state(resource, |remembered| {
            remembered.overlap.wait(since, first, began)
        });
        if !wait.is_zero() {
            return Ok(Some(wait));
        }
        self.acquire_slot().await;
        self.ensure_leader()?;
        let mut status = self.run.status().clone();
        let mut again = None;
        let mut pods = SeenPods::default();
        if held {
            again = self.look_at_pods(&mut status, &mut pods).await?;
        }
        // If a later step fails, the status still reports the restarts before it.
        let restarted = match &published {
            Some(published) => {
                self.restart_workloads(published, &mut status, &mut pods)
                    .await
            }
            None => Ok(None),
        };
        let news = status.consumers != self.run.status().consumers
            || status.restarts != self.run.status().restarts;
        self.ensure_leader()?;
        self.write_status(status).await?;
        let again = Recheck::sooner(again, restarted?);
        let (look, jitter, ended) = (self.run.inputs_hash(), self.run.jitter(), now());
        let asked = self.context.question(resource, |asked| {
            asked.as_mut().map(|asked| asked.changed(look)).is_some()
        });
        Ok(self.context.with_state(resource, |remembered| {
            remembered.failures.consumers = 0;
            if !asked {
                remembered.memory.look = remembered.memory.look.map(|_| look);
            }
            remembered.overlap.looked(again, news, jitter, ended)
        }))
    }

    /// Reports which pods and other resources hold the previous key pair, and returns when to check again. Once no
    /// pod holds it, pods are not listed again while other resources hold it.
    async fn look_at_pods(
        &self,
        status: &mut StaticAwsCredentialsStatus,
        pods: &mut SeenPods,
    ) -> Result<Option<Recheck>, Error> {
        let Some(previous) = status.previous.clone() else {
            return Ok(None);
        };
        let (shared, key) = (&self.context.shared, &self.resource.key);
        let keys = rotation::superseded(&previous);
        let others = shared.scopes.with_keys(key, &keys, now_in_seconds());
        let own = self
            .context
            .with_state(self.resource, |remembered| remembered.overlap.own());
        let outlook = if own == Some(Own::Clean { settled: true }) && others.hold_up() {
            rotation::judge_again(status, &others, now_in_seconds())
        } else {
            match self.holders(&previous, status, pods).await {
                Ok(holders) => rotation::judge(status, &holders, &others, now_in_seconds()),
                Err(error) if error.is_forbidden() => rotation::unlisted(status, now_in_seconds()),
                Err(error) => return Err(error),
            }
        };
        let Some(outlook) = outlook else {
            return Ok(None);
        };
        let Assessment { status: new, again } = outlook;
        *status = new;
        Ok(again)
    }

    /// The pods that may hold a previous key pair. The same list serves the restarts.
    async fn holders(
        &self,
        previous: &Previous,
        status: &StaticAwsCredentialsStatus,
        pods: &mut SeenPods,
    ) -> Result<Vec<OldKeyHolder>, Error> {
        let wanted = self.run.restart().filter(|_| restart::in_progress(status));
        let publication = status.published.as_ref();
        let publication = publication.map(|published| self.publication(published));
        let restarts = wanted.zip(publication);
        let (mut holders, mut fleets) = (Vec::new(), Fleets::default());
        let (shared, key) = (&self.context.shared, &self.resource.key);
        let kubelet = shared.kubelet_sync_period;
        let source = self.resource.source.name.as_str();
        let see = |pod: &Pod| {
            holders.extend(rotation::holder(
                pod,
                previous,
                publication,
                source,
                kubelet,
            ));
            if let Some((wanted, publication)) = restarts {
                fleets.add(pod, wanted, publication);
            }
        };
        let listed = with_deadline(observe::pods(&shared.client, &key.namespace, see)).await;
        let own = listed
            .is_ok()
            .then(|| rotation::own(&holders, previous, now_in_seconds()));
        self.context.with_state(self.resource, |remembered| {
            remembered.overlap.saw(own);
        });
        match &listed {
            Ok(()) if restarts.is_some() => *pods = SeenPods::Seen(fleets),
            Err(error) if error.is_forbidden() => *pods = SeenPods::Refused,
            Ok(()) | Err(_) => {}
        }
        listed.map(|()| holders)
    }

    /// The published pair, as the age of pods is measured against it.
    pub(super) fn publication<'a>(&'a self, published: &'a Published) -> Publication<'a> {
        Publication {
            published,
            uid: &self.resource.uid,
            kubelet_sync_period: self.context.shared.kubelet_sync_period,
        }
    }
}
