//! Whether there is nothing to do: a settled resource costs no request.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{DueState, Inputs, InputsHash, Question, leftovers};
use crate::{
    api::{ConditionType, Reason, StaticAwsCredentialsStatus},
    domain::index::{Observed, View},
};

/// Whether the inputs are as the last finished reconcile left them or, in a new process, as the status records.
pub(super) fn is_up_to_date(world: &Inputs<'_>) -> bool {
    let has_labels = world.knows_labels() || !world.was_true(ConditionType::Ready);
    let is_now = |look: InputsHash| {
        look == InputsHash::of(world.resource.generation, world.view, world.status)
    };
    match (world.question, world.memory.look) {
        _ if !has_labels => false,
        (Some(Question::Answered), _) => false,
        // The check is due, and its request has no answer yet.
        (Some(Question::Open(look)), _) => look.is_some_and(is_now),
        (None, _) if world.due == DueState::Now => false,
        (None, Some(look)) => is_now(look),
        (None, None) => status_is_trustworthy(world),
    }
}

/// Whether the next restore must wait and only the target has changed: a client that keeps editing the
/// target costs no reads until then.
pub(super) fn awaits_restore(world: &Inputs<'_>) -> bool {
    world.restore_wait.is_some()
        && world.question != Some(Question::Answered)
        && world.due == DueState::Later
        && world.reason_before(ConditionType::Ready) == Some(Reason::TargetModified)
        && world.knows_spec()
        && source_matches(world)
}

impl InputsHash {
    /// The hash of the current inputs.
    #[must_use]
    pub fn of(generation: i64, view: &View, status: &StaticAwsCredentialsStatus) -> Self {
        let mut hasher = DefaultHasher::new();
        generation.hash(&mut hasher);
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

/// A new process trusts a status only if UIDs and versions of source and target match it.
fn status_is_trustworthy(world: &Inputs<'_>) -> bool {
    world.knows_spec()
        && world.view.stale_targets.is_empty()
        && !leftovers::awaits_release(world)
        && source_matches(world)
        && target_matches(world)
        && is_final(world)
}

fn source_matches(world: &Inputs<'_>) -> bool {
    match (&world.status.source, &world.view.source) {
        (Some(version), Observed::Found(seen)) => seen.is(&version.uid, &version.resource_version),
        (None, Observed::NotFound) => {
            world.reason_before(ConditionType::Ready) == Some(Reason::SourceNotFound)
        }
        _ => false,
    }
}

fn target_matches(world: &Inputs<'_>) -> bool {
    match world.published() {
        Some(published) if world.was_true(ConditionType::Ready) => {
            published.secret_name == world.resource.target && world.is_intact() && world.knows_ttl()
        }
        Some(_) => world.is_intact(),
        None => world.view.target == Observed::NotFound,
    }
}

/// Whether only the interval, or a change of source, spec or target, can lead further.
fn is_final(world: &Inputs<'_>) -> bool {
    if world.was_true(ConditionType::Ready) {
        return world.reason_before(ConditionType::Ready) == Some(Reason::Published);
    }
    let reason = world.reason_before(ConditionType::Ready);
    reason.is_some_and(|reason| reason == Reason::SourceNotFound || reason.is_terminal_for_source())
}
