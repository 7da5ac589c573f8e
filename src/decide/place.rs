//! What is to become of the target, given the verdict on the source's pair.

use std::collections::BTreeSet;

use super::{Change, FoundTarget, Ownership, Read, Source, Target, World, judge::Judged, write};
use crate::{
    api::{ConditionType, OnRejected, Published, Reason},
    fingerprint,
    index::{Seen, Sight},
    layout,
    verdict::Finding,
};

/// The next step towards a placing.
pub(super) enum Placing {
    Read(Read),
    Known(Box<Placed>),
}

/// What happens to the target, and how it then stands.
#[derive(Debug)]
pub(super) struct Placed {
    pub change: Change,
    pub standing: Standing,
}

/// How the target stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// It holds what was last published, at this version.
    Holds(Seen),
    /// It holds the pair already, though the status does not say so: a write was lost half-way.
    Found { seen: Seen, new_pair: bool },
    /// It is written in this run.
    Written { new_pair: bool },
    /// Nothing was ever published, or nothing is any more.
    Empty(Finding),
    /// It was published and is gone or was edited, and cannot be restored from the source.
    Damaged(Finding),
    /// Its name is taken, or it cannot be written.
    Blocked(Finding),
    /// Its name will be free soon, or the next restore has to wait.
    Awaited(Finding),
}

/// Decides what becomes of the target.
pub(super) fn place(world: &World<'_>, source: &Source, judged: &Judged) -> Placing {
    match (judged, write::content(world, source)) {
        (Judged::Sound { proof, .. }, Some(content))
            if proof.is_some() || !world.resource.asks_aws() =>
        {
            write::publish(world, content)
        }
        (
            Judged::Refused {
                published: true,
                certain: true,
                ..
            },
            _,
        ) if withdraws(world) => withdraw(world, source),
        (Judged::Refused { by_aws: false, .. }, _)
            if withdraws(world) && holds_unreported(world, source) =>
        {
            withdraw(world, source)
        }
        _ => keep(world),
    }
}

pub(super) fn withdraws(world: &World<'_>) -> bool {
    world.resource.checks.on_rejected == OnRejected::Withdraw
}

/// Whether the target carries the source's pair by a write whose status was lost: the spec changed
/// meanwhile, and the status still speaks of the pair before.
fn holds_unreported(world: &World<'_>, source: &Source) -> bool {
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

/// Nothing proven is at hand: the target stays as it is, and is looked at only to report on it.
fn keep(world: &World<'_>) -> Placing {
    let Some(published) = world.published() else {
        let withdrawn = world.reason_before(ConditionType::Published) == Some(Reason::Withdrawn);
        return known(
            Change::Nothing,
            Standing::Empty(if withdrawn {
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
        (Sight::Present(seen), _) if matches(published, seen) => {
            known(Change::Nothing, Standing::Holds(seen.clone()))
        }
        (Sight::Absent, _) | (_, Some(Target::Absent)) => {
            let message = format!(
                "Secret \"{}\" is gone, and the source holds nothing proven to restore it from; mend the source",
                published.secret_name
            );
            known(
                Change::Nothing,
                Standing::Damaged(Finding::new(Reason::TargetLost, message)),
            )
        }
        (_, None) => Placing::Read(Read::Target(published.secret_name.clone())),
        (_, Some(Target::Found(found))) => {
            Placing::Known(Box::new(inspect(world, published, found)))
        }
    }
}

fn inspect(world: &World<'_>, published: &Published, found: &FoundTarget) -> Placed {
    let standing = match found.ownership(world.resource, world.published()) {
        Ownership::Ours if is_as_published(world, published, found) => {
            Standing::Holds(found.seen.clone())
        }
        Ownership::Foreign(finding) if !is_same(published, found) => Standing::Damaged(finding),
        Ownership::Leaving(finding) => Standing::Damaged(finding),
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
            Standing::Damaged(Finding::new(Reason::TargetModified, message))
        }
    };
    Placed {
        change: Change::Nothing,
        standing,
    }
}

/// Whether a target of another version holds what was published. The fields' managers say who wrote, which
/// is not what: another writer may use our name, and a leader that was deposed may have written another
/// pair, whose status was lost. They are asked only about what an older release published.
fn is_as_published(world: &World<'_>, published: &Published, found: &FoundTarget) -> bool {
    match &published.content_digest {
        Some(digest) => {
            let found_digest = fingerprint::of_content(&world.resource.uid, &found.data);
            found_digest == *digest && found.keeps_marks(world.resource)
        }
        None => {
            !found.edited(world.resource, &expected_keys(world))
                && found.holds_key(&published.key_id_suffix)
        }
    }
}

/// The target is deleted, if it is still the object that was published, still ours and as it was
/// published, with the pair that is refused in it. What somebody else has deleted or edited is reported as such: a process that has just
/// started could not tell whether the pair that is refused is the one that was in it.
fn withdraw(world: &World<'_>, source: &Source) -> Placing {
    let Some(published) = world.published() else {
        return keep(world);
    };
    let sight = world.published_sight();
    if world.reason_before(ConditionType::Published) == Some(Reason::TargetLost) {
        return keep(world);
    }
    // A deletion by this operator whose status was lost; of a target that was damaged it deletes none.
    let gone = || {
        if world.was_true(ConditionType::Published) {
            known(Change::Nothing, Standing::Empty(was_withdrawn()))
        } else {
            keep(world)
        }
    };
    if *sight == Sight::Absent {
        return gone();
    }
    match world.read_target(&published.secret_name) {
        None => Placing::Read(Read::Target(published.secret_name.clone())),
        Some(Target::Found(found))
            if is_same(published, found)
                && found.ownership(world.resource, world.published()) == Ownership::Ours
                && !found.edited(world.resource, &expected_keys(world))
                && carries(found, source) =>
        {
            let change = Change::Delete(published.secret_name.clone(), found.seen.clone());
            known(change, Standing::Empty(was_withdrawn()))
        }
        Some(Target::Absent) => gone(),
        Some(Target::Found(_)) => keep(world),
    }
}

fn is_same(published: &Published, found: &FoundTarget) -> bool {
    found.seen.uid == *published.uid
}

pub(super) fn matches(published: &Published, seen: &Seen) -> bool {
    seen.is(&published.uid, &published.resource_version)
}

pub(super) fn known(change: Change, standing: Standing) -> Placing {
    Placing::Known(Box::new(Placed { change, standing }))
}

pub(super) fn blocked(finding: Finding) -> Placed {
    Placed {
        change: Change::Nothing,
        standing: Standing::Blocked(finding),
    }
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

fn expected_keys(world: &World<'_>) -> BTreeSet<String> {
    let resource = world.resource;
    let with_region = resource.region.is_some();
    let layouts = resource
        .layouts
        .iter()
        .flat_map(|layout| layout::keys(*layout, with_region));
    layouts
        .map(|key| (*key).to_owned())
        .chain(resource.keys.keys().cloned())
        .collect()
}
