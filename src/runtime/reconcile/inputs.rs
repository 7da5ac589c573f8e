//! What a reconcile observes, and the inputs of its decisions.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::{Reconcile, Slot, with_deadline};
use crate::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        decide::{self, Inputs, Step},
        index::{Observed, View},
        lock::lock,
        resource::ValidatedCredentials,
    },
    error::Error,
    runtime::{context::ScopeContext, observe, runtime_state::PendingStatus},
};

impl<'a> Reconcile<'a> {
    pub(super) fn new(
        context: &'a Arc<ScopeContext>,
        object: &'a StaticAwsCredentials,
        resource: &'a ValidatedCredentials,
        place: Slot,
    ) -> Self {
        let stored = object.status.clone().unwrap_or_default();
        let stored_version = object.metadata.resource_version.clone().unwrap_or_default();
        let epoch = lock(&context.index).epoch();
        // The next trigger may arrive before the watch delivers our own status write.
        let now = Instant::now();
        let (written, after, leftovers_due) = context.with_state(resource, |remembered| {
            remembered.reset_if_stale(epoch);
            let leftovers_due = remembered.leftovers.is_due(now);
            if leftovers_due {
                remembered.memory.look = None;
            }
            let newer = |written: &PendingStatus| {
                // A list may return an older spec than the one that this status is about.
                written.status.observed_generation == resource.generation
                    && written.epoch == epoch
                    && stored_version
                        .parse()
                        .is_ok_and(|stored: u64| stored < written.version)
            };
            let written = remembered.written.take();
            remembered.written = written.filter(|written| newer(written));
            let after = remembered.leftovers.after().to_owned();
            (remembered.written.clone(), after, leftovers_due)
        });
        if leftovers_due {
            context.question(resource, |asked| {
                if let Some(asked) = asked {
                    asked.left(None);
                }
            });
        }
        let (status, version) = match written {
            Some(written) => (written.status, written.version.to_string()),
            None => (stored, stored_version),
        };
        let view = as_mentioned(
            lock(&context.index).view_after(&resource.key, &after),
            &status,
            resource,
        );
        Self {
            context,
            resource,
            object,
            status,
            version,
            view,
            source: None,
            targets: Vec::new(),
            answers: Vec::new(),
            control: None,
            awaited: None,
            jitter: jitter(),
            conflicts: 0,
            place: Some(place),
        }
    }

    /// Acquires a slot again if the first slot was released during a request to STS.
    pub(super) async fn acquire_slot(&mut self) {
        if self.place.is_none() {
            let namespace = &self.resource.key.namespace;
            self.place = Some(acquire_slot(self.context, namespace).await);
        }
    }

    pub(super) fn decide(&self) -> Step {
        self.with_inputs(decide::decide)
    }

    pub(super) fn with_inputs<T>(&self, with: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let now = Instant::now();
        let (memory, due, refused_for, waits, leftovers_note) =
            self.context.with_state(self.resource, |remembered| {
                (
                    remembered.memory.clone(),
                    remembered.due(now),
                    remembered.refused_for(&self.status, now_in_seconds(), now),
                    (remembered.restore_wait(now), remembered.newcomer_wait(now)),
                    remembered.leftovers.note(now).map(str::to_owned),
                )
            });
        let question = self.context.question(self.resource, |asked| {
            asked.as_ref().map(|asked| asked.state())
        });
        with(&Inputs {
            resource: self.resource,
            status: &self.status,
            view: &self.view,
            memory: &memory,
            source: self.source.as_ref(),
            targets: &self.targets,
            answers: &self.answers,
            control: self.control,
            question,
            awaited: self.awaited,
            endpoint_replaced: self.context.shared.endpoint.is_some(),
            proxied: self.context.shared.proxied,
            due,
            refused_for,
            restore_wait: waits.0,
            newcomer_wait: waits.1,
            leftovers_note: leftovers_note.as_deref(),
            now: now_in_seconds(),
            jitter: self.jitter,
        })
    }

    pub(super) async fn read_source(&mut self) -> Result<(), Error> {
        self.acquire_slot().await;
        let shared = &self.context.shared;
        let read = observe::source(&shared.client, self.resource, &shared.key);
        let source = with_deadline(read).await?;
        let before = std::mem::replace(&mut self.view.source, source.observed());
        self.record(&self.resource.source.name, &before, &self.view.source);
        self.source = Some(source);
        self.reuse_answers();
        Ok(())
    }

    pub(super) async fn read_target(&mut self, name: String) -> Result<(), Error> {
        self.acquire_slot().await;
        let read = observe::target(&self.context.shared.client, self.resource, &name);
        let target = with_deadline(read).await?;
        self.saw_target(&name, &target.observed());
        self.targets.retain(|(read, _)| *read != name);
        self.targets.push((name, target));
        Ok(())
    }

    pub(super) fn saw_target(&mut self, name: &str, sight: &Observed) {
        let slot = if name == self.resource.target {
            &mut self.view.target
        } else {
            &mut self.view.published
        };
        let before = std::mem::replace(slot, sight.clone());
        self.record(name, &before, sight);
    }

    pub(super) fn record(&self, name: &str, before: &Observed, sight: &Observed) {
        let namespace = &self.resource.key.namespace;
        lock(&self.context.index).record(namespace, name, before, sight);
    }
}

/// The index view, corrected for a status write of our own that the watch has not delivered yet.
pub(super) fn as_mentioned(
    mut view: View,
    status: &StaticAwsCredentialsStatus,
    resource: &ValidatedCredentials,
) -> View {
    let published = status.published.as_ref();
    if published.is_none_or(|published| published.secret_name == resource.target) {
        view.published = Observed::Unknown;
    }
    view
}

/// Waits for another slot of the gate.
async fn acquire_slot(context: &ScopeContext, namespace: &Arc<str>) -> Slot {
    let shared = &context.shared;
    let (queue, began) = (&shared.metrics.queue, Instant::now());
    queue.added();
    let permit = shared.gate.acquire(namespace).await;
    let company = lock(&context.queue).load_of(namespace);
    let permit = permit.with_load(company, namespace, Instant::now());
    (permit, queue.started(began.elapsed()))
}

/// Status times are stored without fractions of a second: a time with a fraction would differ from its stored form.
pub(super) fn now_in_seconds() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Random, from 0 to 1.
fn jitter() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness, all resources are due at the same time; nothing else breaks.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
