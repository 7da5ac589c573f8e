//! Kubernetes events about changes of the status: of conditions, of the published revision, and of leftovers.

mod queue;

use std::{future::Future, pin::pin, time::Duration};

use futures::FutureExt;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use tokio::time::timeout;

use crate::{
    api::{ConditionType, Reason, StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        conditions, decide::told_leftovers, index::NamespacedName, target::FIELD_MANAGER, words,
    },
    error::chain,
};

pub use queue::{EventQueue, MOST};

/// An event and the resource that it is about.
pub struct EventRequest {
    about: ObjectReference,
    event: Event,
}

/// Events after which the recorder is replaced. To count repeated events, a recorder keeps each event for
/// minutes: after a burst, these would take more memory than the resources.
pub const REMEMBERED: usize = 256;

const DEADLINE: Duration = Duration::from_secs(15);

/// The longest note that the API server accepts, in bytes.
const NOTE_LIMIT: usize = 1024;

impl EventRequest {
    /// An event about a resource.
    #[must_use]
    pub fn about(object: &StaticAwsCredentials, event: Event) -> Self {
        Self {
            about: object.object_ref(&()),
            event,
        }
    }

    /// An event about an object of which only a reference is known.
    #[must_use]
    pub fn about_reference(about: ObjectReference, event: Event) -> Self {
        Self { about, event }
    }
}

/// The events about the change from one status to the next.
#[must_use]
pub fn transition_events(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> Vec<Event> {
    let ready = changed(before, after, ConditionType::Ready);
    let verified = changed(before, after, ConditionType::Verified);
    let is_ready = conditions::is_true(&after.conditions, ConditionType::Ready);
    let revision = |status: &StaticAwsCredentialsStatus| {
        status
            .published
            .as_ref()
            .map(|published| published.revision)
    };
    let rotated = is_ready && revision(before) != revision(after);
    let kind = match (ready || rotated, verified && is_ready) {
        (true, _) => ConditionType::Ready,
        (false, true) => ConditionType::Verified,
        (false, false) => return beside(before, after).collect(),
    };
    let condition = conditions::find(&after.conditions, kind);
    let condition =
        condition.map(|condition| event(&condition.status, &condition.reason, &condition.message));
    condition.into_iter().chain(beside(before, after)).collect()
}

fn beside(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> impl Iterator<Item = Event> {
    consumer_events(before, after).chain(leftover_event(before, after))
}

/// Leftovers that could not be deleted or released: 1 event for each new text.
fn leftover_event(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> Option<Event> {
    let note = told_leftovers(&after.conditions)?;
    let is_new = told_leftovers(&before.conditions) != Some(note);
    is_new.then(|| event("False", Reason::LeftoverRemains.as_str(), note))
}

fn consumer_events(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> impl Iterator<Item = Event> {
    let previous_key = previous_key_event(before, after);
    previous_key.into_iter().chain(restart_event(before, after))
}

/// An event when restarts begin, are held up, go on, or are done.
fn restart_event(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> Option<Event> {
    let find = |status: &StaticAwsCredentialsStatus| {
        let condition = conditions::find(&status.conditions, ConditionType::ConsumersRestarted);
        condition.cloned()
    };
    let (old, new) = (find(before), find(after)?);
    let told = old.is_none_or(|old| old.reason != new.reason)
        && new.reason != Reason::RestartsPending.as_str();
    let well = if new.reason == Reason::RestartsProgressing.as_str() {
        "True"
    } else {
        &new.status
    };
    told.then(|| event(well, &new.reason, &new.message))
}

/// Reports to a person which consumers to restart, and when the previous key is unused.
fn previous_key_event(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> Option<Event> {
    let kind = ConditionType::PreviousKeyInUse;
    let condition = conditions::find(&after.conditions, kind)?;
    let told = changed(before, after, kind) && condition.status != "Unknown";
    // `PreviousKeyInUse` is good news if it is False.
    let well = if condition.status == "False" {
        "True"
    } else {
        "False"
    };
    told.then(|| event(well, &condition.reason, &condition.message))
}

/// Logs a change of the status with the text of its event.
pub fn log(resource: &NamespacedName, event: &Event) {
    let (reason, words) = (&event.reason, event.note.as_deref().unwrap_or_default());
    match event.type_ {
        EventType::Normal => tracing::info!(%resource, reason, "{words}"),
        EventType::Warning => tracing::warn!(%resource, reason, "{words}"),
    }
}

/// An event: Normal if the status is True, otherwise Warning.
#[must_use]
pub fn event(status: &str, reason: &str, message: &str) -> Event {
    let type_ = if status == "True" {
        EventType::Normal
    } else {
        EventType::Warning
    };
    let note = words::cut(message, NOTE_LIMIT);
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note),
        action: "Reconcile".to_owned(),
        secondary: None,
    }
}

fn changed(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
    kind: ConditionType,
) -> bool {
    let essence = |status: &StaticAwsCredentialsStatus| {
        conditions::find(&status.conditions, kind)
            .map(|condition| (condition.status.clone(), condition.reason.clone()))
    };
    essence(before) != essence(after)
}

/// Publishes events one after the other, so that no reconcile waits for them. Once `end` completes, the events
/// that are already queued are still published.
pub async fn publish(client: Client, queue: &EventQueue, end: impl Future<Output = ()>) {
    let recorder = || {
        let reporter = Reporter {
            controller: FIELD_MANAGER.to_owned(),
            instance: std::env::var("HOSTNAME").ok(),
        };
        Recorder::new(client.clone(), reporter)
    };
    let (mut recording, mut published) = (recorder(), 0);
    let mut end = pin!(end.fuse());
    while let Some(EventRequest { about, event }) = queue.next(&mut end).await {
        if published == REMEMBERED {
            (recording, published) = (recorder(), 0);
        }
        published += 1;
        // A request that hangs would hold back all later events.
        let error = match timeout(DEADLINE, recording.publish(&event, &about)).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => chain(&error),
            Err(late) => late.to_string(),
        };
        queue.lost.inc();
        tracing::warn!(
            reason = event.reason,
            error,
            "an event could not be published"
        );
    }
}

#[cfg(test)]
mod tests;
