//! What happens to the target, given what is known of the source's pair.

use std::collections::BTreeSet;

use super::{
    FoundTarget, Inputs, Ownership, Read, Source, Target, TargetWrite,
    outcome::Verification,
    publish,
    target_state::{TargetPlan, TargetState, TargetStep, known, matches, withdraws},
};
use crate::{
    api::{ConditionType, Published, Reason},
    domain::{fingerprint, index::Observed, layout, verdict::Finding},
};

/// Decides what happens to the target.
pub(super) fn plan_target(
    world: &Inputs<'_>,
    source: &Source,
    judged: &Verification,
) -> TargetStep {
    match (judged, publish::content(world, source)) {
        (Verification::Verified { proof, .. }, Some(content))
            if proof.is_some() || !world.resource.verifies_with_sts() =>
        {
            publish::publish(world, content)
        }
        (
            Verification::Rejected {
                published: true,
                certain: true,
                ..
            },
            _,
        ) if withdraws(world) => withdraw(world, source),
        (Verification::Rejected { by_aws: false, .. }, _)
            if withdraws(world) && has_unrecorded_write(world, source) =>
        {
            withdraw(world, source)
        }
        _ => leave_target(world),
    }
}

/// Whether the target carries the source's pair by a write whose status was lost: the spec changed
/// meanwhile, and the status still records the previous pair.
fn has_unrecorded_write(world: &Inputs<'_>, source: &Source) -> bool {
    let Some(published) = world.published() else {
        return false;
    };
    match world.read_target(&published.secret_name) {
        Some(Target::Found(target)) => !matches(published, &target.seen) && carries(target, source),
        _ => false,
    }
}

fn carries(target: &FoundTarget, source: &Source) -> bool {
    let Source::Found(found) = source else {
        return false;
    };
    let pair = found.pair.as_ref();
    pair.is_ok_and(|pair| layout::carries(&target.data, &pair.pair))
}

/// No proven pair is available: the target stays as it is, and is checked only for the report.
fn leave_target(world: &Inputs<'_>) -> TargetStep {
    let Some(published) = world.published() else {
        let withdrawn = world.reason_before(ConditionType::Published) == Some(Reason::Withdrawn);
        return known(
            TargetWrite::Nothing,
            TargetState::NotPublished(if withdrawn {
                was_withdrawn()
            } else {
                never_published()
            }),
        );
    };
    match (
        world.published_sight(),
        world.read_target(&published.secret_name),
    ) {
        (Observed::Found(seen), _) if matches(published, seen) => {
            known(TargetWrite::Nothing, TargetState::Current(seen.clone()))
        }
        (Observed::NotFound, _) | (_, Some(Target::Absent)) => {
            let message = format!(
                "Secret \"{}\" is gone, and the source holds nothing proven to restore it from; mend the source",
                published.secret_name
            );
            known(
                TargetWrite::Nothing,
                TargetState::Drifted(Finding::new(Reason::TargetLost, message)),
            )
        }
        (_, None) => TargetStep::Read(Read::Target(published.secret_name.clone())),
        (_, Some(Target::Found(found))) => {
            TargetStep::Known(Box::new(detect_drift(world, published, found)))
        }
    }
}

fn detect_drift(world: &Inputs<'_>, published: &Published, found: &FoundTarget) -> TargetPlan {
    let standing = match found.ownership(world.resource, world.published()) {
        Ownership::Ours if is_as_published(world, published, found) => {
            TargetState::Current(found.seen.clone())
        }
        Ownership::Foreign(finding) if !is_same(published, found) => TargetState::Drifted(finding),
        Ownership::Terminating(finding) => TargetState::Drifted(finding),
        _ => {
            let what = if found.keeps_marks(world.resource) && published.content_digest.is_some() {
                "holds other data than were last published, so that nothing vouches for them"
            } else {
                "was edited"
            };
            let message = format!(
                "Secret \"{}\" {what}, and the source holds nothing proven to restore it from; mend the source",
                published.secret_name
            );
            TargetState::Drifted(Finding::new(Reason::TargetModified, message))
        }
    };
    TargetPlan {
        change: TargetWrite::Nothing,
        standing,
    }
}

/// Whether a target at another version holds what was published. `managedFields` show who wrote, not what:
/// another writer may use our name, and a deposed leader may have written another pair, whose status was lost.
/// They count only for a Secret that an older release published, which has no digest.
fn is_as_published(world: &Inputs<'_>, published: &Published, found: &FoundTarget) -> bool {
    match &published.content_digest {
        Some(digest) => {
            let found_digest = fingerprint::of_content(&world.resource.uid, &found.data);
            found_digest == *digest && found.keeps_marks(world.resource)
        }
        None => {
            !found.has_drifted(world.resource, &expected_keys(world))
                && found.holds_key(&published.key_id_suffix)
        }
    }
}

/// Deletes the target if it is still the object that was published, still ours, not edited, and carries the
/// rejected pair. A target that another client deleted or edited is only reported: a process that has just started
/// cannot know whether the rejected pair was in it.
fn withdraw(world: &Inputs<'_>, source: &Source) -> TargetStep {
    let Some(published) = world.published() else {
        return leave_target(world);
    };
    let sight = world.published_sight();
    if world.reason_before(ConditionType::Published) == Some(Reason::TargetLost) {
        return leave_target(world);
    }
    // Taken for a deletion by this operator whose status was lost; it never deletes a damaged target.
    let gone = || {
        if world.was_true(ConditionType::Published) {
            known(
                TargetWrite::Nothing,
                TargetState::NotPublished(was_withdrawn()),
            )
        } else {
            leave_target(world)
        }
    };
    if *sight == Observed::NotFound {
        return gone();
    }
    match world.read_target(&published.secret_name) {
        None => TargetStep::Read(Read::Target(published.secret_name.clone())),
        Some(Target::Found(found))
            if is_same(published, found)
                && found.ownership(world.resource, world.published()) == Ownership::Ours
                && !found.has_drifted(world.resource, &expected_keys(world))
                && carries(found, source) =>
        {
            let change = TargetWrite::Delete(published.secret_name.clone(), found.seen.clone());
            known(change, TargetState::NotPublished(was_withdrawn()))
        }
        Some(Target::Absent) => gone(),
        Some(Target::Found(_)) => leave_target(world),
    }
}

fn is_same(published: &Published, found: &FoundTarget) -> bool {
    found.seen.uid == *published.uid
}

fn was_withdrawn() -> Finding {
    Finding::new(
        Reason::Withdrawn,
        "the target was deleted, since spec.validation.onRejected is Withdraw and its pair is refused",
    )
}

fn never_published() -> Finding {
    Finding::new(Reason::NotPublished, "no pair was published yet")
}

fn expected_keys(world: &Inputs<'_>) -> BTreeSet<String> {
    let resource = world.resource;
    let with_region = resource.region.is_some();
    let layouts = resource
        .layouts
        .iter()
        .flat_map(|layout| layout.keys(with_region));
    layouts
        .map(|key| (*key).to_owned())
        .chain(resource.keys.keys().cloned())
        .collect()
}
