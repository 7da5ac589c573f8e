//! Reports of failed reconciles and of unusable resources.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::{api::ObjectMeta, runtime::events::Event};

use crate::{
    api::{Reason, StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        conditions,
        decide::Cause,
        index::NamespacedName,
        reconcile::Task,
        resource::{Undecodable, ValidatedCredentials, key_of},
        verdict::Finding,
    },
    error::{Error, chain},
    runtime::{
        act,
        context::ScopeContext,
        events::{self, EventRequest},
        queue::Action,
        reconcile::with_deadline,
    },
};

/// Pause before a failed write of the status of an unusable resource is retried.
const UNUSABLE_PAUSE: Duration = Duration::from_secs(30);

/// Counts a failure and decides when the resource is reconciled again.
pub fn error_policy(
    context: &ScopeContext,
    resource: &ValidatedCredentials,
    task: Task,
    error: &Error,
) -> Action {
    let failures = context.with_state(resource, |state| {
        let failures = state.failures.get_mut(task);
        *failures = failures.saturating_add(1);
        *failures
    });
    context.shared.metrics.failed(error);
    context.shared.metrics.queue.retried();
    let pause = error.backoff(failures);
    let resource = &resource.key;
    if error.is_conflict() {
        tracing::debug!(%resource, "the resource changed during the reconcile, which is repeated");
        return Action::Backoff(pause);
    }
    if matches!(error, Error::NotLeading) {
        tracing::debug!(%resource, "this replica is no longer the leader; the next leader reconciles the resource");
        return Action::AwaitChange;
    }
    if matches!(error, Error::StatusRefusedBefore) {
        tracing::debug!(%resource, "the status is not sent; it was rejected for this generation");
        return Action::Requeue(pause, Cause::Retry);
    }
    let error = chain(error);
    // Limits the log: while the API server is unavailable, each resource fails twice a minute.
    if failures.is_power_of_two() {
        tracing::warn!(%resource, error, failures, "the reconcile failed; it is retried in {pause:?}");
    } else {
        tracing::debug!(%resource, error, failures, "the reconcile failed again");
    }
    Action::Backoff(pause)
}

/// A resource with an unusable spec. The target stays unchanged until the spec changes.
pub struct Unusable<'a> {
    /// Metadata of the resource.
    pub metadata: &'a ObjectMeta,
    /// Status as stored.
    pub before: Option<&'a StaticAwsCredentialsStatus>,
    /// What is wrong.
    pub finding: Finding,
}

impl<'a> Unusable<'a> {
    /// A field has a value that the CRD schema would have rejected.
    pub fn invalid(object: &'a StaticAwsCredentials, finding: Finding) -> Self {
        let resource = key_of(object);
        let reason = finding.reason.as_str();
        tracing::warn!(%resource, reason, message = finding.message, "the spec is invalid");
        Self {
            metadata: &object.metadata,
            before: object.status.as_ref(),
            finding,
        }
    }

    /// The resource cannot be decoded but still owns its target. Other resources are not affected.
    pub fn undecodable(context: &ScopeContext, undecodable: &'a Undecodable) -> Self {
        let metadata = &undecodable.metadata;
        tracing::error!(
            namespace = ?metadata.namespace,
            name = ?metadata.name,
            error = undecodable.error,
            "the resource cannot be decoded; others are not affected"
        );
        context.shared.metrics.undecodable();
        let message = format!("the resource cannot be decoded: {}", undecodable.error);
        Self {
            metadata,
            before: undecodable.status.as_ref(),
            finding: Finding::new(Reason::Undecodable, message),
        }
    }

    /// Writes the finding to the status, or publishes only an event where the API server rejects every status of
    /// a resource with such a spec.
    pub async fn report(&self, context: &ScopeContext, key: &NamespacedName) -> Action {
        let Some(version) = self.metadata.resource_version.as_deref() else {
            return Action::AwaitChange;
        };
        let before = self.before.cloned().unwrap_or_default();
        let mut after = before.clone();
        after.observed_generation = self.metadata.generation.unwrap_or_default();
        let now = Timestamp::now();
        after.conditions = conditions::unusable(&before.conditions, &self.finding, now);
        if after == before || self.metadata.deletion_timestamp.is_some() {
            return Action::AwaitChange;
        }
        // The next leader reports the finding.
        if !context.shared.leader.leads() {
            return Action::AwaitChange;
        }
        let client = &context.shared.client;
        match with_deadline(act::status(client, key, version, &before, &after)).await {
            Ok(_) => {
                for event in events::transition_events(&before, &after) {
                    self.queue_event(context, key, event);
                }
            }
            Err(Error::StatusRefused(error)) => {
                tracing::warn!(resource = %key, error = chain(&error), "the status is rejected");
                let (reason, message) = (self.finding.reason, &self.finding.message);
                self.queue_event(
                    context,
                    key,
                    events::event("False", reason.as_str(), message),
                );
            }
            // The watch delivers the newer version and enqueues the resource.
            Err(error) if error.is_conflict() => {}
            Err(error) => {
                context.shared.metrics.failed(&error);
                tracing::warn!(resource = %key, error = chain(&error), "the status was not written; the write is retried");
                return Action::Backoff(UNUSABLE_PAUSE);
            }
        }
        Action::AwaitChange
    }

    fn queue_event(&self, context: &ScopeContext, key: &NamespacedName, event: Event) {
        let uid = self.metadata.uid.as_deref().unwrap_or_default().into();
        let request = EventRequest::new(key, uid, event);
        context.shared.events.add(request);
    }
}
