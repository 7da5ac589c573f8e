//! Plans how a proven pair gets into the target that the spec names.

use std::sync::Arc;

use kube::api::ObjectMeta;

use super::{
    DesiredSecret, FoundTarget, Next, Ownership, Read, Step, Target, TargetWrite,
    outcome::Publishable,
    situation::Situation,
    target_state::{TargetPlan, TargetState},
};
use crate::{
    api::{Published, Reason, UID_LABEL},
    domain::{
        index::{Observed, SecretVersion},
        verdict::Finding,
    },
};

/// Plans the write of a proven pair to the target that the spec names.
pub(super) fn publish(situation: &Situation<'_>, pair: &Publishable<'_>) -> Next<TargetPlan> {
    let name = situation.resource.target.as_str();
    let read = || Err(Step::Read(Read::Target(name.to_owned())));
    match (&situation.view.target, situation.read_target(name)) {
        (Observed::NotFound, _) | (_, Some(Target::Absent)) => Ok(create(situation, pair)),
        (_, Some(Target::Found(found))) => Ok(overwrite(situation, pair, found)),
        // The target of a new resource rarely exists, and a create finds that out as well as a read would.
        // After a rejected create, read: a quota rejects a create before the API server compares names.
        (Observed::Unknown, None)
            if situation.published().is_none() && situation.memory.failures == 0 =>
        {
            Ok(create(situation, pair))
        }
        (Observed::Found(seen), None) if has_known_content(situation, seen) => {
            unread(situation, pair, seen).map_or_else(read, Ok)
        }
        (_, None) => read(),
    }
}

/// Whether the target is at the version that was published under the present spec and settings.
fn has_known_content(situation: &Situation<'_>, seen: &SecretVersion) -> bool {
    let is_same = here(situation).is_some_and(|here| seen.matches(here));
    is_same
        && situation.knows_spec()
        && situation.knows_ttl()
        && situation.knows_labels()
        && !situation.earlier.disregarded_spec()
        // A class that changes may have changed the region in layouts.
        && (situation.knows_class() || situation.memory.applied == Some(situation.present()))
}

/// The plan for a target whose content is known without a read.
fn unread(
    situation: &Situation<'_>,
    pair: &Publishable<'_>,
    seen: &SecretVersion,
) -> Option<TargetPlan> {
    if situation.is_published {
        return is_applied(situation).then(|| TargetState::Current(seen.clone()).unwritten());
    }
    // A replacement keeps foreign metadata, which only a read shows.
    let is_replaceable = seen.only_our_metadata && situation.memory.published.is_some();
    is_replaceable.then(|| {
        let metadata = situation
            .resource
            .owner()
            .metadata(&situation.resource.target);
        let draft = draft(pair, metadata, false);
        TargetState::Writing { new_pair: true }.by(TargetWrite::Replace(draft, seen.clone()))
    })
}

/// What was published under the name that the spec asks for.
fn here<'a>(situation: &'a Situation<'_>) -> Option<&'a Published> {
    let name = &situation.resource.target;
    situation
        .published()
        .filter(|published| published.secret_name == *name)
}

/// Whether the target was written, or found correct, under the spec that the status records. A spec that came
/// while the source held no proven pair was recorded in the status and changed nothing.
fn is_applied(situation: &Situation<'_>) -> bool {
    situation.memory.applied == Some(situation.present()) || situation.earlier.held_source_pair()
}

/// Overwrites a Secret that exists, if the resource owns it or may adopt it.
fn overwrite(situation: &Situation<'_>, pair: &Publishable<'_>, found: &FoundTarget) -> TargetPlan {
    let resource = situation.resource;
    let adopts = match found.ownership(resource, situation.published()) {
        Ownership::Foreign(finding) => return TargetState::Blocked(finding).unwritten(),
        Ownership::Terminating(finding) => return TargetState::Waiting(finding).unwritten(),
        Ownership::Adoptable => true,
        Ownership::Ours => false,
    };
    if let Some(finding) = found.unwritable() {
        return TargetState::Blocked(finding).unwritten();
    }
    let here = here(situation);
    if !adopts && found.conforms(resource, pair.data) {
        return conforming(situation, here, pair, found).unwritten();
    }
    let restores = situation.is_published && here.is_some_and(|here| !found.seen.matches(here));
    if restores && situation.restore_wait.is_some() {
        return TargetState::Waiting(contended(&resource.target)).unwritten();
    }
    let metadata = if adopts {
        resource.owner().metadata(&resource.target)
    } else {
        found.replacement(resource)
    };
    let draft = DesiredSecret {
        // Under a new spec (a new policy) the owner reference is wanted, not brought back.
        confirmed_first: restores || adopts && here.is_some() && situation.knows_spec(),
        ..draft(pair, metadata, restores)
    };
    let new_pair = !situation.is_published;
    TargetState::Writing { new_pair }.by(TargetWrite::Replace(draft, found.seen.clone()))
}

/// The state of a target that is already as desired.
fn conforming(
    situation: &Situation<'_>,
    here: Option<&Published>,
    pair: &Publishable<'_>,
    found: &FoundTarget,
) -> TargetState {
    let is_recorded = here.is_some_and(|here| same_pair_and_object(here, pair, found));
    let known = situation.is_published || is_recorded;
    let seen = found.seen.clone();
    if known && here.is_some() && situation.knows_ttl() && situation.knows_labels() {
        TargetState::Current(seen)
    } else {
        TargetState::Recovered {
            seen,
            new_pair: !known,
        }
    }
}

/// Whether the status already records this pair in this object, of which only the version changed.
fn same_pair_and_object(here: &Published, pair: &Publishable<'_>, found: &FoundTarget) -> bool {
    found.seen.uid == *here.uid && here.key_id_suffix == pair.pair.pair.suffix()
}

/// Creates the target, unless a conflicting resource comes first.
fn create(situation: &Situation<'_>, pair: &Publishable<'_>) -> TargetPlan {
    let target = situation.resource.target.as_str();
    if let Some(rival) = &situation.view.conflicting_resource {
        return TargetState::Blocked(target_conflict(target, rival)).unwritten();
    }
    let new_pair = !situation.is_published;
    let returns = here(situation).is_some();
    let restores = !new_pair && returns;
    if restores && situation.restore_wait.is_some() {
        return TargetState::Waiting(contended(target)).unwritten();
    }
    let draft = DesiredSecret {
        confirmed_first: returns,
        ..draft(pair, situation.resource.owner().metadata(target), restores)
    };
    TargetState::Writing { new_pair }.by(TargetWrite::Create(draft))
}

fn draft(pair: &Publishable<'_>, metadata: ObjectMeta, restores: bool) -> DesiredSecret {
    DesiredSecret {
        metadata,
        data: Arc::clone(pair.data),
        pair: Arc::clone(&pair.pair.pair),
        fingerprint: pair.pair.fingerprint,
        is_repair: restores,
        confirmed_first: restores,
    }
}

fn contended(target: &str) -> Finding {
    let message = format!(
        "Secret \"{target}\" is changed repeatedly by another writer; it is restored after a pause; find that writer in its managedFields"
    );
    Finding::new(Reason::TargetModified, message)
}

/// The conflict with a resource that has the same target and comes first.
fn target_conflict(target: &str, rival: &str) -> Finding {
    let message = format!(
        "StaticAwsCredentials \"{rival}\" has Secret \"{target}\" as its target too and comes first; choose another spec.target.name (label {UID_LABEL} of a Secret is the UID of its resource)"
    );
    Finding::new(Reason::TargetConflict, message)
}
