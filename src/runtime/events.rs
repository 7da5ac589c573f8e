//! Kubernetes events about changes of the status: of conditions, of the published revision, and of leftovers.

mod publisher;
mod queue;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType};

use crate::{
    api::{API_VERSION, ConditionType, KIND, Reason, StaticAwsCredentialsStatus},
    domain::{conditions, decide::told_leftovers, index::NamespacedName, uid::Uid, words},
};

pub use publisher::{RECORDER_CAPACITY, publish};
pub use queue::{EventQueue, MAX_QUEUED};

/// An event and the resource that it is about, in a compact form: in a burst, thousands of events wait.
pub struct EventRequest {
    key: NamespacedName,
    uid: Uid,
    is_warning: bool,
    reason: Box<str>,
    note: Box<str>,
}

/// The longest note that the API server accepts, in bytes.
const NOTE_LIMIT: usize = 1024;

/// What a controller did when an event occurred, which the API requires.
const ACTION: &str = "Reconcile";

impl EventRequest {
    /// An event about a resource.
    #[must_use]
    pub fn new(key: &NamespacedName, uid: Uid, event: Event) -> Self {
        Self {
            key: key.clone(),
            uid,
            is_warning: matches!(event.type_, EventType::Warning),
            reason: event.reason.into(),
            note: event.note.unwrap_or_default().into(),
        }
    }

    fn unpack(&self) -> (Event, ObjectReference) {
        let event = Event {
            type_: if self.is_warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: self.reason.to_string(),
            note: Some(self.note.to_string()),
            action: ACTION.to_owned(),
            secondary: None,
        };
        let about = ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(KIND.to_owned()),
            namespace: Some(self.key.namespace.to_string()),
            name: Some(self.key.name.to_string()),
            uid: Some(self.uid.to_string()),
            ..ObjectReference::default()
        };
        (event, about)
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
        (false, false) => return other_events(before, after).collect(),
    };
    let condition = conditions::find(&after.conditions, kind);
    let condition =
        condition.map(|condition| event(&condition.status, &condition.reason, &condition.message));
    condition
        .into_iter()
        .chain(other_events(before, after))
        .collect()
}

fn other_events(
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
    let is_reported = old.is_none_or(|old| old.reason != new.reason)
        && new.reason != Reason::RestartsPending.as_str();
    let event_status = if new.reason == Reason::RestartsProgressing.as_str() {
        "True"
    } else {
        &new.status
    };
    is_reported.then(|| event(event_status, &new.reason, &new.message))
}

/// Reports to a person which consumers to restart, and when the previous key is unused.
fn previous_key_event(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
) -> Option<Event> {
    let kind = ConditionType::PreviousKeyInUse;
    let condition = conditions::find(&after.conditions, kind)?;
    let is_reported = changed(before, after, kind) && condition.status != "Unknown";
    let event_status = if condition.status == kind.polarity().good_status() {
        "True"
    } else {
        "False"
    };
    is_reported.then(|| event(event_status, &condition.reason, &condition.message))
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
        action: ACTION.to_owned(),
        secondary: None,
    }
}

fn changed(
    before: &StaticAwsCredentialsStatus,
    after: &StaticAwsCredentialsStatus,
    kind: ConditionType,
) -> bool {
    let status_and_reason = |status: &StaticAwsCredentialsStatus| {
        conditions::find(&status.conditions, kind)
            .map(|condition| (condition.status.clone(), condition.reason.clone()))
    };
    status_and_reason(before) != status_and_reason(after)
}

#[cfg(test)]
mod tests;
