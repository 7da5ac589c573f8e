//! Whether there is nothing to do: a settled resource costs no request.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{DueState, InputsHash, Question, leftovers, situation::Situation};
use crate::{
    api::StaticAwsCredentialsStatus,
    domain::{
        index::{Observed, View},
        resource::ValidatedCredentials,
    },
};

/// Whether the inputs are as the last finished reconcile left them or, in a new process, as the status records.
pub(super) fn is_up_to_date(situation: &Situation<'_>) -> bool {
    let has_labels = situation.knows_labels() || !situation.earlier.was_ready();
    let is_now = |look: InputsHash| {
        look == InputsHash::of(situation.resource, situation.view, situation.status)
    };
    match (situation.question, situation.memory.look) {
        _ if !has_labels => false,
        (Some(Question::Answered), _) => false,
        // The check is due, and its request has no answer yet.
        (Some(Question::Open(look)), _) => look.is_some_and(is_now),
        (None, _) if situation.due == DueState::Now => false,
        (None, Some(look)) => is_now(look),
        (None, None) => status_is_trustworthy(situation),
    }
}

/// Whether the next restore must wait and only the target has changed: a client that keeps editing the
/// target costs no reads until then.
pub(super) fn awaits_restore(situation: &Situation<'_>) -> bool {
    situation.restore_wait.is_some()
        && situation.question != Some(Question::Answered)
        && situation.due == DueState::Later
        && situation.earlier.was_modified()
        && situation.knows_spec()
        && source_matches(situation)
}

impl InputsHash {
    /// The hash of the current inputs.
    #[must_use]
    pub fn of(
        resource: &ValidatedCredentials,
        view: &View,
        status: &StaticAwsCredentialsStatus,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        resource.generation.hash(&mut hasher);
        class(resource).hash(&mut hasher);
        for sight in [&view.source, &view.target, &view.published] {
            // As `NotFound`: a name first referenced after a list is known to be free only at the next list.
            let sight = (*sight != Observed::Unknown).then_some(sight);
            sight.unwrap_or(&Observed::NotFound).hash(&mut hasher);
        }
        (&view.stale_targets, &view.conflicting_resource).hash(&mut hasher);
        serde_json::to_string(status)
            .unwrap_or_default()
            .hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The class of a resource: its generation, or why the class cannot be used.
fn class(resource: &ValidatedCredentials) -> Option<Result<String, &str>> {
    let class = resource.class.as_ref()?;
    Some(match class {
        Ok(store) => Ok(store.key()),
        Err(finding) => Err(&finding.message),
    })
}

/// A new process trusts a status only if UIDs and versions of source and target match it.
fn status_is_trustworthy(situation: &Situation<'_>) -> bool {
    situation.knows_spec()
        && situation.view.stale_targets.is_empty()
        && !leftovers::awaits_release(situation)
        && source_matches(situation)
        && target_matches(situation)
        && class_matches(situation)
        && situation.earlier.was_final()
}

/// Whether the source is as the status describes it: at the recorded version, or missing.
fn source_matches(situation: &Situation<'_>) -> bool {
    let was_missing = situation.status.source.is_none() && situation.earlier.source_was_missing();
    situation.knows_source() || was_missing && situation.view.source == Observed::NotFound
}

/// Whether the class is as the status describes it: at the recorded generation, or unusable for the same reason.
fn class_matches(situation: &Situation<'_>) -> bool {
    match &situation.resource.class {
        Some(Err(finding)) => situation.earlier.class_was(finding.reason),
        Some(Ok(_)) | None => situation.knows_class(),
    }
}

fn target_matches(situation: &Situation<'_>) -> bool {
    match situation.published() {
        Some(published) if situation.earlier.was_ready() => {
            published.secret_name == situation.resource.target
                && situation.is_intact()
                && situation.knows_ttl()
        }
        Some(_) => situation.is_intact(),
        None => situation.view.target == Observed::NotFound,
    }
}
