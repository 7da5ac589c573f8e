//! One reconcile of one resource: observe, decide, act.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        decide::{self, Awaited, Plan, Read, Requeue, Source, Step, Target, TargetWrite},
        index::{Observed, View},
        lock::lock,
        resource::ValidatedCredentials,
        verdict::{Answer, Control},
    },
    error::{Error, STATUS_PAUSE},
    ops::metrics::Work,
    runtime::{
        act::{self, WriteOutcome},
        context::ScopeContext,
        events::{self, EventRequest},
        runtime_state::PendingStatus,
    },
    sts::fair::Permit,
};

mod control;
mod inputs;
mod last_look;
mod leftovers;
mod restart;
mod rotation;
mod verify;
mod write;

/// Limit of steps (reads, requests to STS, write attempts) in one reconcile; more than any decision needs.
const STEPS: u32 = 16;
/// Conflicts on writes of the target after which a reconcile fails. Each earlier conflict leads to a new decision.
const ATTEMPTS: u32 = 4;

/// Deadline of one request to the API server; a longer request counts as hung.
const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// State of one reconcile.
struct Reconcile<'a> {
    context: &'a Arc<ScopeContext>,
    resource: &'a ValidatedCredentials,
    object: &'a StaticAwsCredentials,
    status: StaticAwsCredentialsStatus,
    version: String,
    view: View,
    source: Option<Source>,
    targets: Vec<(String, Target)>,
    answers: Vec<(String, Answer)>,
    control: Option<Control>,
    awaited: Option<Awaited>,
    jitter: f64,
    conflicts: u32,
    place: Option<Slot>,
}

/// A slot for a running reconcile, with its metrics.
pub type Slot = (Permit, Work);

/// Reconciles once, and returns the pause before the next planned reconcile.
///
/// # Errors
/// A request to the cluster failed, leadership was lost, or the inputs changed meanwhile.
pub async fn reconcile(
    context: &Arc<ScopeContext>,
    object: &StaticAwsCredentials,
    resource: &ValidatedCredentials,
    place: Slot,
) -> Result<Option<Duration>, Error> {
    let mut run = Reconcile::new(context, object, resource, place);
    for _ in 0..STEPS {
        run.ensure_leader()?;
        let step = tracing::debug_span!("decide").in_scope(|| run.decide());
        let (observe, act) = (tracing::debug_span!("observe"), tracing::debug_span!("act"));
        match step {
            Step::Read(Read::Source) => run.read_source().instrument(observe).await?,
            Step::Read(Read::Target(name)) => run.read_target(name).instrument(observe).await?,
            Step::Ask(query) => run.ask(query).instrument(observe).await,
            Step::Control(region) => run.ask_about_others(&region).instrument(observe).await?,
            Step::Act(plan) => {
                if let Some(pause) = run.act(*plan).instrument(act).await? {
                    let follow = tracing::debug_span!("follow");
                    let again = run.follow_consumers().instrument(follow).await?;
                    let again = rotation::earlier(again, run.leftovers_wait());
                    return Ok(rotation::earlier(pause, again));
                }
            }
        }
    }
    Err(Error::StepLimitExceeded)
}

impl Reconcile<'_> {
    fn ensure_leader(&self) -> Result<(), Error> {
        let leads = self.context.shared.leader.leads();
        leads.then_some(()).ok_or(Error::NotLeading)
    }

    /// Executes a plan. `None` means that the target has changed meanwhile and a new decision is needed.
    async fn act(&mut self, plan: Plan) -> Result<Option<Option<Duration>>, Error> {
        let writes = !matches!(plan.change, TargetWrite::Nothing) || !plan.leftovers.is_empty();
        if writes || plan.status != self.status {
            self.acquire_slot().await;
            self.ensure_leader()?;
        }
        let (context, resource) = (self.context, self.resource);
        // Stored before the writes, so that a failed write does not lose the answer of AWS.
        self.context.with_state(self.resource, |remembered| {
            remembered.memory.proof.clone_from(&plan.memory.proof);
        });
        if plan.is_confirmed_first() {
            with_deadline(act::dry_run_precondition(
                &context.shared.client,
                &resource.key,
                &self.version,
            ))
            .await?;
            // The dry run may take longer than the lease is valid.
            self.ensure_leader()?;
        }
        let mut plan = match self.change(&plan.change).await? {
            WriteOutcome::Unchanged => plan,
            WriteOutcome::Applied(sight) => self.changed(plan, &sight),
            WriteOutcome::Conflict => return self.conflict(&plan.change).await.map(|()| None),
            WriteOutcome::NamespaceTerminating => return Ok(Some(None)),
            WriteOutcome::Rejected(finding) => {
                self.with_inputs(|world| decide::write_refused(world, &plan, &finding))
            }
        };
        self.remove_leftovers(&mut plan).await;
        self.ensure_leader()?;
        self.note_superseded(&mut plan.status);
        self.write_status(&plan.status).await?;
        Ok(Some(self.finish(plan)))
    }

    fn changed(&mut self, mut plan: Plan, sight: &Observed) -> Plan {
        let name = match &plan.change {
            TargetWrite::Create(draft) | TargetWrite::Replace(draft, _) => {
                draft.metadata.name.clone().unwrap_or_default()
            }
            TargetWrite::Delete(name, _) => name.clone(),
            TargetWrite::Nothing => return plan,
        };
        if let (Observed::Found(seen), Some(published)) = (sight, &mut plan.status.published) {
            published.uid = seen.uid.to_string();
            published.resource_version = seen.version.to_string();
        }
        if matches!(&plan.change, TargetWrite::Create(draft) | TargetWrite::Replace(draft, _) if draft.is_repair)
        {
            self.context.with_state(self.resource, |remembered| {
                remembered.restored(Instant::now());
            });
        }
        self.saw_target(&name, sight);
        plan
    }

    async fn conflict(&mut self, change: &TargetWrite) -> Result<(), Error> {
        let name = match change {
            TargetWrite::Delete(name, _) => name.clone(),
            _ => self.resource.target.clone(),
        };
        self.conflicts += 1;
        if self.conflicts >= ATTEMPTS {
            return Err(Error::Contended { name });
        }
        self.read_target(name).await
    }

    async fn write_status(&mut self, status: &StaticAwsCredentialsStatus) -> Result<(), Error> {
        if *status == self.status {
            return Ok(());
        }
        let written = self.send_status(status).await?;
        let metrics = &self.context.shared.metrics;
        metrics.reported(&self.status, status);
        for event in events::transition_events(&self.status, status) {
            events::log(&self.resource.key, &event);
            let announced = EventRequest::about(self.object, event);
            self.context.shared.events.add(announced);
        }
        self.status = status.clone();
        let epoch = lock(&self.context.index).epoch();
        let version = written.and_then(|version| version.parse().ok());
        self.context.with_state(self.resource, |remembered| {
            remembered.written = version.map(|version| {
                Box::new(PendingStatus {
                    version,
                    status: status.clone(),
                    epoch,
                })
            });
        });
        Ok(())
    }

    /// After a rejection, no status is sent for this generation for `STATUS_PAUSE`, even if the resource is enqueued.
    async fn send_status(
        &self,
        status: &StaticAwsCredentialsStatus,
    ) -> Result<Option<String>, Error> {
        let generation = self.resource.generation;
        let remember = |refusal| {
            self.context.with_state(self.resource, |remembered| {
                remembered.refused_status = refusal;
            });
        };
        let refused = self.context.with_state(self.resource, |remembered| {
            remembered
                .refused_status
                .filter(|(refused, _)| *refused == generation)
        });
        if refused.is_some_and(|(_, at)| at.elapsed() < STATUS_PAUSE) {
            return Err(Error::StatusRefusedBefore);
        }
        let (client, key) = (&self.context.shared.client, &self.resource.key);
        let sent = with_deadline(act::status(
            client,
            key,
            &self.version,
            &self.status,
            status,
        ))
        .await;
        match sent {
            Err(Error::StatusRefused(error)) => {
                remember(Some((generation, Instant::now())));
                Err(refused.map_or(Error::StatusRefused(error), |_| Error::StatusRefusedBefore))
            }
            sent => {
                remember(None);
                sent
            }
        }
    }

    fn finish(&self, plan: Plan) -> Option<Duration> {
        let now = Instant::now();
        let look = self.inputs_hash();
        let awaits = plan.next == Requeue::Answer;
        tracing::debug!(resource = %self.resource.key, next = ?plan.next, "decided when to reconcile again");
        let pause = self.context.with_state(self.resource, |remembered| {
            if let Some(settling) = plan.status.settling.as_ref().filter(|_| plan.refusal_began) {
                remembered.refusal_began(&settling.key_id_suffix, now);
            }
            remembered.update_memory(plan.memory, now);
            remembered.failures = 0;
            if awaits {
                return remembered.restore_wait(now);
            }
            remembered.memory.look = Some(look);
            remembered.schedule(plan.next, now);
            remembered.pause(now)
        });
        if awaits {
            self.keep_question(pause.is_none().then_some(look));
        } else {
            self.cancel_question();
        }
        pause
    }
}

/// Applies `REQUEST_DEADLINE` to one request. Waiting for a slot has no deadline.
pub(crate) async fn with_deadline<T>(
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = |_| Error::Deadline(REQUEST_DEADLINE);
    tokio::time::timeout(REQUEST_DEADLINE, request)
        .await
        .map_err(late)?
}
