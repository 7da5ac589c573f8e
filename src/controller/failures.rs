//! What is said of a run that failed, and of a resource that cannot be run as it is.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::core::error_boundary::InvalidObject;

use crate::{
    api::{API_VERSION, KIND, Reason, StaticAwsCredentials},
    context::Context,
    error::{Error, chain},
    events::{self, Announcement},
    queue::Ended,
    resource::{Resource, key_of},
    verdict::Finding,
};

/// Counts it and says when it is tried again.
pub fn failed(context: &Context, resource: &Resource, error: &Error) -> Ended {
    let failures = context.remember(resource, |remembered| {
        remembered.failures = remembered.failures.saturating_add(1);
        remembered.failures
    });
    context.shared.metrics.failed(error);
    context.shared.metrics.queue.retried();
    let pause = error.pause(failures);
    let resource = &resource.key;
    if error.is_race() {
        tracing::debug!(%resource, "the resource changed during the run; it is run again");
        return Ended::Failed(pause);
    }
    if matches!(error, Error::NotLeading) {
        tracing::debug!(%resource, "this replica does not lead any more; the next leader goes on");
        return Ended::Rest;
    }
    if matches!(error, Error::StatusRefusedBefore) {
        tracing::debug!(%resource, "the status is not sent; it was refused for this generation");
        return Ended::LookAgain(pause);
    }
    let error = chain(error);
    // While the API server is away each resource fails twice a minute.
    if failures.is_power_of_two() {
        tracing::warn!(%resource, error, failures, "the run failed; it is tried again in {pause:?}");
    } else {
        tracing::debug!(%resource, error, failures, "the run failed again");
    }
    Ended::Failed(pause)
}

/// Its spec is invalid: nothing is done for it before that changes.
pub fn invalid(context: &Context, object: &StaticAwsCredentials, finding: &Finding) {
    let resource = key_of(object);
    let reason = finding.reason.as_str();
    tracing::warn!(%resource, reason, message = finding.message, "the spec is invalid");
    let event = events::event("False", reason, &finding.message);
    let _ = context
        .shared
        .events
        .try_send(Announcement::about(object, event));
}

/// The others go on, and it still owns its target.
pub fn undecodable(context: &Context, invalid: &InvalidObject) {
    let namespace = invalid.metadata.namespace.clone();
    let name = invalid.metadata.name.clone();
    tracing::error!(
        ?namespace,
        ?name,
        error = invalid.error,
        "the resource cannot be decoded; the others go on"
    );
    context.shared.metrics.undecodable();
    let about = ObjectReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(KIND.to_owned()),
        namespace,
        name,
        uid: invalid.metadata.uid.clone(),
        ..Default::default()
    };
    let message = format!("the resource cannot be decoded: {}", invalid.error);
    let event = events::event("False", Reason::Undecodable.as_str(), &message);
    let _ = context
        .shared
        .events
        .try_send(Announcement::about_reference(about, event));
}
