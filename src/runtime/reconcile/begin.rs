//! The beginning of a reconcile, and what its steps are given.

use std::{sync::Arc, time::Instant};

use k8s_openapi::jiff::Timestamp;

use super::Driver;
use crate::{
    api::StaticAwsCredentials,
    domain::{
        decide,
        lock::lock,
        reconcile::{Begin, Event, Progress, Reconcile, Settings, Surroundings},
        resource::ValidatedCredentials,
    },
    runtime::{context::ScopeContext, queue::Slot},
};

impl<'a> Driver<'a> {
    pub(super) fn new(
        context: &'a Arc<ScopeContext>,
        object: &'a StaticAwsCredentials,
        resource: &'a ValidatedCredentials,
        slot: Slot,
    ) -> Self {
        let begin = with_surroundings(context, resource, |around| {
            Begin::new(object, resource, around)
        });
        if begin.leftovers_due {
            context.question(resource, |asked| {
                if let Some(asked) = asked {
                    asked.left(None);
                }
            });
        }
        let after = &begin.leftovers_after;
        let view = lock(&context.index).view_after(&resource.key, after);
        let rotation = object.spec.rotation.as_ref();
        let restart = rotation.and_then(|rotation| rotation.restart.as_ref());
        let shared = &context.shared;
        let settings = Settings {
            decide: decide::decide,
            endpoint_replaced: shared.endpoint.is_some(),
            proxied: shared.proxied,
            lists_consumers: shared.lists_consumers,
            restarts_consumers: shared.restarts_consumers,
            kubelet_sync_period: shared.kubelet_sync_period,
            jitter: jitter(),
        };
        Self {
            context,
            resource,
            run: Reconcile::new(begin, view, resource, restart, settings),
            slot: Some(slot),
        }
    }

    pub(super) fn step(&mut self, event: Event) -> Progress {
        let run = &mut self.run;
        let progress = with_surroundings(self.context, self.resource, |around| {
            run.step(event, around)
        });
        let own = &self.resource.key;
        for seen in self.run.take_observations() {
            let (name, before, after) = (&seen.name, &seen.before, &seen.after);
            let concerned = lock(&self.context.index).record(&own.namespace, name, before, after);
            let mut others = concerned.iter().filter(|key| *key != own).peekable();
            if others.peek().is_some() {
                self.context.enqueue(others);
            }
        }
        progress
    }

    /// Acquires a slot again if the first slot was released during a request to STS.
    pub(super) async fn acquire_slot(&mut self) {
        if self.slot.is_none() {
            let namespace = &self.resource.key.namespace;
            self.slot = Some(self.context.shared.queue.resume(namespace).await);
        }
    }
}

/// Gives a step what it reads and changes outside of the reconcile. The store is locked meanwhile.
pub(super) fn with_surroundings<T>(
    context: &ScopeContext,
    resource: &ValidatedCredentials,
    with: impl FnOnce(&mut Surroundings<'_>) -> T,
) -> T {
    let question = context.question(resource, |asked| asked.as_ref().map(|asked| asked.state()));
    let epoch = lock(&context.index).epoch();
    let (wall, now) = (now_in_seconds(), now());
    context.with_state(resource, |state| {
        with(&mut Surroundings {
            state,
            question,
            epoch,
            wall,
            now,
        })
    })
}

/// The monotonic clock, which tests may pause.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
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
