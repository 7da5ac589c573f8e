//! After a rotation: restarts workloads, `maxConcurrent` at a time, and waits until they are healthy.

use strum::VariantArray;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    Driver,
    begin::{now as monotonic_now, now_in_seconds},
    last_look::SeenPods,
    with_deadline,
};
use crate::{
    api::{
        Published, Restart, RestartScope, Restarts, StaticAwsCredentialsStatus, WorkloadKind,
        WorkloadReference,
    },
    domain::rotation::{
        Fleets, Recheck, Workload,
        restart::{self, Blocker, RestartState},
        restart_annotation_key,
    },
    error::Error,
    runtime::{act, observe},
};

/// Pending workloads that one reconcile processes at most.
const MOST_AT_ONCE: usize = 50;

impl Driver<'_> {
    /// Restarts the next workloads, reports the progress in `status`, also after a failure, and returns when to
    /// check again.
    pub(super) async fn restart_workloads(
        &self,
        published: &Published,
        status: &mut StaticAwsCredentialsStatus,
        pods: &mut SeenPods,
    ) -> Result<Option<Recheck>, Error> {
        let (Some(mut restarts), Some(wanted)) = (status.restarts.clone(), self.run.restart())
        else {
            return Ok(None);
        };
        let now = now_in_seconds();
        if !self.context.shared.restarts_consumers {
            restart::mark_blocked(status, &Blocker::NotAllowed, now);
            return Ok(Some(Recheck::Later));
        }
        if let Some(finding) = self.context.shared.guards.obstacle() {
            restart::mark_blocked(status, &Blocker::Unguarded(finding.message), now);
            return Ok(Some(Recheck::Later));
        }
        if !restart::may_go_on(status) {
            restart::waits(status, now);
            return Ok(Some(Recheck::Later));
        }
        let gone_on = self.advance(&mut restarts, wanted, published, pods).await;
        let (gone_on, last_look) = match gone_on {
            Ok(None) if is_done(&restarts) => self.look_last(wanted, published, pods).await,
            unfinished => (unfinished, None),
        };
        let since = restarts.restarting_since.get_or_insert(Time(now)).0;
        status.restarts = Some(restarts);
        let elapsed = self.context.with_state(self.resource, |remembered| {
            remembered.overlap.waited(since, now, monotonic_now())
        });
        let again = restart::judge(status, last_look.as_ref(), elapsed, now);
        match gone_on {
            Ok(None) => return Ok(again),
            Ok(Some(hindrance)) => restart::mark_blocked(status, &hindrance, now),
            Err(error) if error.is_forbidden() => {
                restart::mark_blocked(status, &Blocker::NotAllowed, now);
            }
            Err(error) => return Err(error),
        }
        Ok(Some(Recheck::Later))
    }

    async fn advance(
        &self,
        restarts: &mut Restarts,
        wanted: &Restart,
        published: &Published,
        pods: &mut SeenPods,
    ) -> Result<Option<Blocker>, Error> {
        if restarts.pending.is_none() {
            let pending = self.find_workloads(wanted, published, &restarts.restarting, pods);
            restarts.pending = Some(pending.await?);
            restarts.restarting.clear();
        }
        restarts
            .restarting
            .retain(|name| restart::is_selected(name, wanted));
        let in_waves = !restarts.restarting.is_empty();
        self.wait_for_health(restarts, wanted).await?;
        if !restarts.restarting.is_empty() {
            return Ok(None);
        }
        if in_waves {
            restarts.restarting_since = None;
        }
        self.next_batch(restarts, wanted, published, pods).await
    }

    async fn next_batch(
        &self,
        restarts: &mut Restarts,
        wanted: &Restart,
        published: &Published,
        pods: &mut SeenPods,
    ) -> Result<Option<Blocker>, Error> {
        let most = usize::try_from(wanted.max_concurrent).unwrap_or(1).max(1);
        let mut missing = Vec::new();
        let mut later = Vec::new();
        let mut pending = restarts.pending.take().unwrap_or_default().into_iter();
        let mut ended = Ok(None);
        let mut left = MOST_AT_ONCE;
        while restarts.restarting.len() < most && left > 0 {
            let Some(name) = pending.next() else { break };
            left -= 1;
            match self.restart_one(&name, wanted, published, pods).await {
                Ok(Restarted::Now) => restarts.restarting.push(name),
                Ok(Restarted::NotNeeded) => {}
                Ok(Restarted::Missing) => {
                    missing.push(name.clone());
                    later.push(name);
                }
                Ok(Restarted::Raced) => later.push(name),
                // The rejection of one workload does not stop the others.
                Ok(Restarted::Refused(words)) => {
                    ended = ended
                        .map(|first| first.or_else(|| Some(Blocker::Refused(name.clone(), words))));
                    later.push(name);
                }
                Err(error) => {
                    later.push(name);
                    ended = Err(error);
                    break;
                }
            }
        }
        // Retries go to the end, so that the next reconcile processes other workloads first.
        restarts.pending = Some(pending.chain(later).collect());
        if missing.is_empty() || !matches!(ended, Ok(None)) {
            return ended;
        }
        Ok(Some(Blocker::Missing(missing)))
    }

    async fn find_workloads(
        &self,
        wanted: &Restart,
        published: &Published,
        left: &[String],
        pods: &mut SeenPods,
    ) -> Result<Vec<String>, Error> {
        if wanted.scope == RestartScope::Workloads {
            let named = wanted.workloads.iter().flatten();
            return Ok(named.map(ToString::to_string).collect());
        }
        let (client, namespace) = (&self.context.shared.client, &self.resource.key.namespace);
        let mut found = Vec::new();
        for kind in WorkloadKind::VARIANTS {
            let see = |workload: &Workload| {
                if restart::needs_restart(workload, &published.secret_name) {
                    let name = workload.metadata.name.clone().unwrap_or_default();
                    found.push((
                        WorkloadReference { kind: *kind, name },
                        workload.is_healthy(*kind),
                    ));
                }
            };
            with_deadline(observe::workloads(client, namespace, *kind, see)).await?;
        }
        // Workloads whose pods use the target although the template does not, e.g. where a webhook injects it.
        let fleets = self.fleets(pods, wanted, published).await?;
        for due in fleets.into_iter().flat_map(Fleets::due) {
            if !found.iter().any(|(known, _)| *known == due) {
                found.push((due, true));
            }
        }
        Ok(restart::in_order(&found, left))
    }

    /// Counts each healthy workload once, also if a later read fails. A deleted workload is counted as gone, or is
    /// pending again if the spec names it, since it has to exist then.
    async fn wait_for_health(
        &self,
        restarts: &mut Restarts,
        wanted: &Restart,
    ) -> Result<(), Error> {
        let mut names = std::mem::take(&mut restarts.restarting).into_iter();
        let mut ended = Ok(());
        for name in names.by_ref() {
            match self.read_workload(&name).await {
                Ok(Some((reference, workload))) if workload.is_healthy(reference.kind) => {
                    restarts.restarted += 1;
                }
                Ok(Some(_)) => restarts.restarting.push(name),
                Ok(None) if wanted.scope == RestartScope::Workloads => {
                    restarts.pending.get_or_insert_default().push(name);
                }
                Ok(None) => restarts.gone += 1,
                Err(error) => {
                    restarts.restarting.push(name);
                    ended = Err(error);
                    break;
                }
            }
        }
        restarts.restarting.extend(names);
        ended
    }

    async fn restart_one(
        &self,
        name: &str,
        wanted: &Restart,
        published: &Published,
        pods: &mut SeenPods,
    ) -> Result<Restarted, Error> {
        if !restart::is_selected(name, wanted) {
            return Ok(Restarted::NotNeeded);
        }
        let Some((reference, workload)) = self.read_workload(name).await? else {
            return Ok(if wanted.scope == RestartScope::Workloads {
                Restarted::Missing
            } else {
                Restarted::NotNeeded
            });
        };
        let publication = self.publication(published);
        match restart::restart_state(&workload, publication) {
            RestartState::Newer => return Ok(Restarted::NotNeeded),
            RestartState::Restarted => return Ok(Restarted::Now),
            RestartState::Due => {}
        }
        let fleets = self.fleets(pods, wanted, published).await?;
        let by_itself = fleets.is_some_and(|fleets| fleets.restarted_by_itself(name));
        if by_itself && workload.is_healthy(reference.kind) {
            return Ok(Restarted::NotNeeded);
        }
        self.ensure_leader()?;
        let (client, namespace) = (&self.context.shared.client, &self.resource.key.namespace);
        let (mark, occasion) = (
            restart_annotation_key(publication.uid),
            publication.restart_annotation_value(),
        );
        let change = (mark.as_str(), occasion.as_str());
        let patch = act::restart(client, namespace, &reference, &workload, change);
        match with_deadline(patch).await {
            Ok(true) => {
                tracing::info!(resource = %self.resource.key, workload = name, revision = published.revision, "restarted");
                Ok(Restarted::Now)
            }
            Ok(false) => Ok(Restarted::Raced),
            Err(error) => error.refusal().map(Restarted::Refused).ok_or(error),
        }
    }

    pub(super) async fn read_workload(
        &self,
        name: &str,
    ) -> Result<Option<(WorkloadReference, Workload)>, Error> {
        let Some(reference) = WorkloadReference::parse(name) else {
            return Ok(None);
        };
        let (client, namespace) = (&self.context.shared.client, &self.resource.key.namespace);
        let read = with_deadline(observe::workload(client, namespace, &reference)).await?;
        Ok(read.map(|workload| (reference, workload)))
    }
}

fn is_done(restarts: &Restarts) -> bool {
    restarts.restarting.is_empty() && restarts.pending.as_ref().is_some_and(Vec::is_empty)
}

/// The result for one workload.
enum Restarted {
    /// The restart is in progress, started by this reconcile or an earlier one.
    Now,
    /// No restart is needed.
    NotNeeded,
    /// The spec names the workload, which does not exist.
    Missing,
    /// Another client changed or deleted the workload meanwhile.
    Raced,
    /// The API server rejects the restart, with this message.
    Refused(String),
}
