//! One reconcile of one resource in the cluster: performs the effects that [`crate::domain::reconcile`] names.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use tracing::Instrument;

use crate::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        decide::Cause,
        reconcile::{Done, Effect, Event, PendingQuestion, PerTask, Reconcile},
        resource::ValidatedCredentials,
    },
    error::{Error, STATUS_PAUSE},
    runtime::{
        act,
        context::ScopeContext,
        events::{self, EventRequest},
        queue::{Due, Slot},
    },
};

mod begin;
mod control;
mod last_look;
mod observe;
mod restart;
mod rotation;
mod verify;
mod write;

/// Deadline of one request to the API server; a longer request counts as hung.
const REQUEST_DEADLINE: Duration = Duration::from_secs(15);

/// Performs the effects of one reconcile.
struct Driver<'a> {
    context: &'a Arc<ScopeContext>,
    resource: &'a ValidatedCredentials,
    run: Reconcile<'a>,
    slot: Option<Slot>,
}

/// The results of the tasks that ran: the pause before the next time and its cause, if a next time is planned. An error
/// means that a request to the cluster failed, leadership was lost, or the inputs changed meanwhile.
pub type Results = PerTask<Option<Result<Option<(Duration, Cause)>, Error>>>;

/// Performs the tasks that are due, once. After the credentials, the schedule of the consumers is updated, too.
pub async fn reconcile(
    context: &Arc<ScopeContext>,
    object: &StaticAwsCredentials,
    resource: &ValidatedCredentials,
    due: Due,
    slot: Slot,
) -> Results {
    let mut driver = Driver::new(context, object, resource, slot);
    let mut results = Results::default();
    if due.credentials.is_some() {
        let result = driver.credentials().await;
        let has_failed = result.is_err();
        results.credentials = Some(result);
        if has_failed {
            // The status that this reconcile knows may be outdated.
            results.consumers = due.consumers.map(|cause| Ok(Some((Duration::ZERO, cause))));
            return results;
        }
    }
    let follow = tracing::debug_span!("follow");
    let again = driver.follow_consumers().instrument(follow).await;
    let again = again.map(|pause| pause.map(|pause| (pause, Cause::Rotation)));
    results.consumers = Some(again);
    results
}

impl Driver<'_> {
    async fn credentials(&mut self) -> Result<Option<(Duration, Cause)>, Error> {
        let mut event = Event::Begun;
        loop {
            let progress = tracing::debug_span!("decide").in_scope(|| self.step(event));
            event = match progress {
                ControlFlow::Continue(effect) => self.perform(effect).await?,
                ControlFlow::Break(ended) => return Ok(self.end(ended?)),
            };
        }
    }

    fn ensure_leader(&self) -> Result<(), Error> {
        let leads = self.context.shared.leader.leads();
        leads.then_some(()).ok_or(Error::NotLeading)
    }

    async fn perform(&mut self, effect: Effect) -> Result<Event, Error> {
        self.ensure_leader()?;
        match effect {
            Effect::ReadSource => self.read_source().await,
            Effect::ReadTarget(name) => self.read_target(name).await,
            Effect::Ask(query) => Ok(self.ask(query).await),
            Effect::Control(place) => self.ask_about_others(&place).await,
            Effect::Confirm => self.confirm().await,
            Effect::Write(change) => self.write(&change).await,
            Effect::Remove(leftover) => self.remove(&leftover).await,
            Effect::WriteStatus(status) => {
                self.may_act().await?;
                let version = self.report(&status).await?;
                Ok(Event::StatusWritten(status, version))
            }
        }
    }

    /// Before each effect that changes the cluster: leadership is checked after the wait for a slot, and again for the
    /// next effect, since an effect may take longer than the lease is valid.
    async fn may_act(&mut self) -> Result<(), Error> {
        self.acquire_slot().await;
        self.ensure_leader()
    }

    fn end(&self, done: Done) -> Option<(Duration, Cause)> {
        tracing::debug!(resource = %self.resource.key, next = ?done.next, "decided when to reconcile again");
        match done.question {
            PendingQuestion::Keep => {}
            PendingQuestion::Await(look) => self.keep_question(look),
            PendingQuestion::Cancel => self.cancel_question(),
        }
        done.pause
    }

    /// Writes a status that follows from the consumers.
    async fn write_status(&mut self, status: StaticAwsCredentialsStatus) -> Result<(), Error> {
        if status == *self.run.status() {
            return Ok(());
        }
        let version = self.report(&status).await?;
        let run = &mut self.run;
        begin::with_surroundings(self.context, self.resource, |around| {
            run.status_written(status, version, around);
        });
        Ok(())
    }

    /// Writes the status, counts the verdict and queues the events. Returns the version of the status.
    async fn report(&self, status: &StaticAwsCredentialsStatus) -> Result<Option<u64>, Error> {
        let written = self.send_status(status).await?;
        let shared = &self.context.shared;
        let before = self.run.status();
        shared.metrics.reported(before, status);
        for event in events::transition_events(before, status) {
            events::log(&self.resource.key, &event);
            let uid = self.resource.uid.as_str().into();
            let request = EventRequest::new(&self.resource.key, uid, event);
            shared.events.add(request);
        }
        Ok(written.and_then(|version| version.parse().ok()))
    }

    /// After a rejection, no status is sent for this generation for `STATUS_PAUSE`, even if the resource is enqueued.
    async fn send_status(
        &self,
        status: &StaticAwsCredentialsStatus,
    ) -> Result<Option<String>, Error> {
        let generation = self.resource.generation;
        let remember = |refusal| {
            self.context.with_state(self.resource, |state| {
                state.refused_status = refusal;
            });
        };
        let refused = self.context.with_state(self.resource, |state| {
            let refused = state.refused_status;
            refused.filter(|(refused, _)| *refused == generation)
        });
        let now = begin::now();
        if refused.is_some_and(|(_, at)| now.saturating_duration_since(at) < STATUS_PAUSE) {
            return Err(Error::StatusRefusedBefore);
        }
        let (client, key) = (&self.context.shared.client, &self.resource.key);
        let (version, before) = (self.run.version(), self.run.status());
        match with_deadline(act::status(client, key, version, before, status)).await {
            Err(Error::StatusRefused(error)) => {
                remember(Some((generation, begin::now())));
                Err(refused.map_or(Error::StatusRefused(error), |_| Error::StatusRefusedBefore))
            }
            sent => {
                remember(None);
                sent
            }
        }
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
