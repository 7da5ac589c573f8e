//! What happens to the target, given what is known of the source's pair.

use std::collections::BTreeSet;

use super::{
    FoundTarget, Inputs, Next, Ownership, Read, Step, Target, TargetWrite,
    outcome::Verification,
    publish,
    situation::Situation,
    target_state::{TargetPlan, TargetState},
};
use crate::{
    api::{Published, Reason},
    domain::{fingerprint, index::Observed, layout, verdict::Finding},
};

/// Decides what happens to the target.
pub(super) fn plan_target(
    situation: &Situation<'_>,
    verification: &Verification,
) -> Next<TargetPlan> {
    if let Some(pair) = verification.publishable(situation) {
        return publish::publish(situation, &pair);
    }
    let Verification::Rejected {
        by_aws, certain, ..
    } = verification
    else {
        return leave_target(situation);
    };
    let holds_rejected = situation.is_published && *certain;
    let unrecorded = !by_aws && has_unrecorded_write(situation);
    if situation.withdraws() && (holds_rejected || unrecorded) {
        withdraw(situation)
    } else {
        leave_target(situation)
    }
}

/// Whether the target carries the source's pair by a write whose status was lost: the spec changed
/// meanwhile, and the status still records the previous pair.
fn has_unrecorded_write(situation: &Situation<'_>) -> bool {
    let Some(published) = situation.published() else {
        return false;
    };
    match situation.read_target(&published.secret_name) {
        Some(Target::Found(target)) => {
            !target.seen.matches(published) && carries_source(situation, target)
        }
        _ => false,
    }
}

fn carries_source(situation: &Situation<'_>, target: &FoundTarget) -> bool {
    let carries = |pair: &super::SourcePair| layout::carries(&target.data, &pair.pair);
    situation.pair.is_some_and(carries)
}

/// No proven pair is available: the target stays as it is, and is checked only for the report.
fn leave_target(situation: &Situation<'_>) -> Next<TargetPlan> {
    let Some(published) = situation.published() else {
        let finding = if situation.earlier.was_withdrawn() {
            was_withdrawn()
        } else {
            Finding::new(Reason::NotPublished, "no pair was published yet")
        };
        return Ok(TargetState::NotPublished(finding).unwritten());
    };
    let name = &published.secret_name;
    let state = match (situation.published_sight(), situation.read_target(name)) {
        (Observed::Found(seen), _) if seen.matches(published) => TargetState::Current(seen.clone()),
        (Observed::NotFound, _) | (_, Some(Target::Absent)) => {
            let message = format!(
                "Secret \"{name}\" is gone, and the source holds no proven pair to restore it from; fix the source"
            );
            TargetState::Drifted(Finding::new(Reason::TargetLost, message))
        }
        (_, None) => return Err(Step::Read(Read::Target(name.clone()))),
        (_, Some(Target::Found(found))) => detect_drift(situation, published, found),
    };
    Ok(state.unwritten())
}

fn detect_drift(inputs: &Inputs<'_>, published: &Published, found: &FoundTarget) -> TargetState {
    match found.ownership(inputs.resource, Some(published)) {
        Ownership::Ours if is_as_published(inputs, published, found) => {
            TargetState::Current(found.seen.clone())
        }
        Ownership::Foreign(finding) if !is_same(published, found) => TargetState::Drifted(finding),
        Ownership::Terminating(finding) => TargetState::Drifted(finding),
        _ => {
            let what = if found.keeps_marks(inputs.resource) && published.content_digest.is_some() {
                "holds other data than was last published"
            } else {
                "was edited"
            };
            let message = format!(
                "Secret \"{}\" {what}, and the source holds no proven pair to restore it from; fix the source",
                published.secret_name
            );
            TargetState::Drifted(Finding::new(Reason::TargetModified, message))
        }
    }
}

/// Whether a target at another version holds what was published. `managedFields` show who wrote, not what:
/// another writer may use our name, and a deposed leader may have written another pair, whose status was lost.
/// They and the end of the access key ID count only without a digest: for a Secret that an older release published,
/// and for a secret access key that could be guessed.
fn is_as_published(inputs: &Inputs<'_>, published: &Published, found: &FoundTarget) -> bool {
    let resource = inputs.resource;
    if let Some(digest) = &published.content_digest {
        let found_digest = fingerprint::of_content(&resource.uid, &found.data);
        return found_digest == *digest && found.keeps_marks(resource);
    }
    let (request, suffix) = (resource.layout_request(), &published.key_id_suffix);
    !found.has_drifted(resource, &expected_keys(inputs))
        && layout::holds_key_id(&request, &found.data, suffix)
}

/// Deletes the target if it is still the object that was published, still ours, not edited, and carries the
/// rejected pair. A target that another client deleted or edited is only reported: a process that has just started
/// cannot know whether the rejected pair was in it.
fn withdraw(situation: &Situation<'_>) -> Next<TargetPlan> {
    let Some(published) = situation.published() else {
        return leave_target(situation);
    };
    if situation.earlier.target_was_lost() {
        return leave_target(situation);
    }
    let name = &published.secret_name;
    let is_absent = *situation.published_sight() == Observed::NotFound;
    match situation.read_target(name) {
        // Taken for a deletion by this operator whose status was lost; it never deletes a damaged target.
        _ if is_absent && situation.earlier.was_published() => Ok(withdrawn().unwritten()),
        Some(Target::Absent) if situation.earlier.was_published() => Ok(withdrawn().unwritten()),
        _ if is_absent => leave_target(situation),
        None => Err(Step::Read(Read::Target(name.clone()))),
        Some(Target::Found(found))
            if is_same(published, found)
                && found.ownership(situation.resource, Some(published)) == Ownership::Ours
                && !found.has_drifted(situation.resource, &expected_keys(situation))
                && carries_source(situation, found) =>
        {
            let change = TargetWrite::Delete(name.clone(), found.seen.clone());
            Ok(withdrawn().by(change))
        }
        Some(Target::Absent | Target::Found(_)) => leave_target(situation),
    }
}

fn is_same(published: &Published, found: &FoundTarget) -> bool {
    found.seen.uid == *published.uid
}

fn withdrawn() -> TargetState {
    TargetState::NotPublished(was_withdrawn())
}

fn was_withdrawn() -> Finding {
    Finding::new(
        Reason::Withdrawn,
        "the target was deleted, since spec.validation.onRejected is Withdraw and its pair is refused",
    )
}

fn expected_keys(inputs: &Inputs<'_>) -> BTreeSet<String> {
    let resource = inputs.resource;
    let with_region = resource.layout_region().is_some();
    let layouts = resource
        .layouts
        .iter()
        .flat_map(|layout| layout.keys(with_region));
    layouts
        .map(|key| (*key).to_owned())
        .chain(resource.keys.keys().cloned())
        .collect()
}
