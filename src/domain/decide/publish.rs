//! Plans how a proven pair gets into the target that the spec names.

use std::{collections::BTreeMap, sync::Arc};

use kube::api::ObjectMeta;

use super::{
    DesiredSecret, FoundTarget, Inputs, Ownership, Read, Source, SourcePair, Target, TargetWrite,
    ownership, proof,
    target_state::{TargetPlan, TargetState, TargetStep, blocked, known, matches},
};
use crate::{
    api::{ConditionType, Published, Reason},
    domain::{fingerprint, index::Observed, layout, pair::SecretBytes, verdict::Finding},
};

/// A pair, rendered for the target.
pub(super) struct Content<'a> {
    pair: &'a SourcePair,
    data: BTreeMap<String, SecretBytes>,
    is_published: bool,
}

impl Content<'_> {
    /// The digest of the data for the status, if the status may show one.
    pub(super) fn digest(&self, world: &Inputs<'_>) -> Option<String> {
        let shown = fingerprint::may_be_shown(&self.pair.pair);
        shown.then(|| fingerprint::of_content(&world.resource.uid, &self.data))
    }

    fn draft(self, metadata: ObjectMeta, restores: bool) -> DesiredSecret {
        DesiredSecret {
            metadata,
            data: self.data,
            pair: Arc::clone(&self.pair.pair),
            fingerprint: self.pair.fingerprint,
            is_repair: restores,
            confirmed_first: restores,
        }
    }
}

/// The content to publish. A pair that a layout cannot carry was rejected before.
pub(super) fn content<'a>(world: &Inputs<'_>, source: &'a Source) -> Option<Content<'a>> {
    let Source::Found(found) = source else {
        return None;
    };
    let pair = found.pair.as_ref().ok()?;
    let data = layout::render(&world.resource.layout_request(), &pair.pair).ok()?;
    Some(Content {
        pair,
        data,
        is_published: proof::is_published(world, pair),
    })
}

/// Plans the write of a proven pair to the target that the spec names.
pub(super) fn publish(world: &Inputs<'_>, content: Content<'_>) -> TargetStep {
    let name = world.resource.target.as_str();
    let here = world
        .published()
        .filter(|published| published.secret_name == name);
    let reason = world.reason_before(ConditionType::Ready);
    let same_spec = world.knows_spec()
        && world.knows_ttl()
        && world.knows_labels()
        && !reason.is_some_and(Reason::disregards_spec);
    match (&world.view.target, world.read_target(name)) {
        (Observed::NotFound, _) | (_, Some(Target::Absent)) => {
            TargetStep::Known(Box::new(create(world, content)))
        }
        (_, Some(Target::Found(found))) => {
            TargetStep::Known(Box::new(overwrite(world, content, found)))
        }
        // The target of a new resource rarely exists, and a create finds that out as well as a read would.
        // After a rejected create, read: a quota rejects a create before the API server compares names.
        (Observed::Unknown, None) if world.published().is_none() && world.memory.failures == 0 => {
            TargetStep::Known(Box::new(create(world, content)))
        }
        (Observed::Found(seen), None)
            if same_spec && here.is_some_and(|here| matches(here, seen)) =>
        {
            if content.is_published && is_applied(world) {
                known(TargetWrite::Nothing, TargetState::Current(seen.clone()))
            } else if !content.is_published
                && seen.only_our_metadata
                && world.memory.published.is_some()
            {
                let draft = content.draft(world.resource.owner().metadata(name), false);
                known(
                    TargetWrite::Replace(draft, seen.clone()),
                    TargetState::Writing { new_pair: true },
                )
            } else {
                TargetStep::Read(Read::Target(name.to_owned()))
            }
        }
        (_, None) => TargetStep::Read(Read::Target(name.to_owned())),
    }
}

/// Whether the target was written, or found correct, under the spec that the status records. A spec that came
/// while the source held no proven pair was recorded in the status and changed nothing.
fn is_applied(world: &Inputs<'_>) -> bool {
    world.memory.applied == Some(world.resource.generation)
        || world.reason_before(ConditionType::Published) == Some(Reason::Published)
}

/// Overwrites a Secret that exists, if the resource owns it or may adopt it.
fn overwrite(world: &Inputs<'_>, content: Content<'_>, found: &FoundTarget) -> TargetPlan {
    let resource = world.resource;
    let adopts = match found.ownership(resource, world.published()) {
        Ownership::Foreign(finding) => return blocked(finding),
        Ownership::Terminating(finding) => {
            return TargetPlan {
                change: TargetWrite::Nothing,
                standing: TargetState::Waiting(finding),
            };
        }
        Ownership::Adoptable => true,
        Ownership::Ours => false,
    };
    if let Some(finding) = found.unwritable() {
        return blocked(finding);
    }
    let here = world
        .published()
        .filter(|published| published.secret_name == resource.target);
    if !adopts && found.conforms(resource, &content.data) {
        return TargetPlan {
            change: TargetWrite::Nothing,
            standing: unchanged(world, here, &content, found),
        };
    }
    let restores = content.is_published && here.is_some_and(|here| !matches(here, &found.seen));
    if restores && world.restore_wait.is_some() {
        let finding = contended(&resource.target);
        return TargetPlan {
            change: TargetWrite::Nothing,
            standing: TargetState::Waiting(finding),
        };
    }
    let metadata = if adopts {
        resource.owner().metadata(&resource.target)
    } else {
        found.replacement(resource)
    };
    let new_pair = !content.is_published;
    let draft = DesiredSecret {
        // Under a new spec (a new policy) the owner reference is wanted, not brought back.
        confirmed_first: restores || adopts && here.is_some() && world.knows_spec(),
        ..content.draft(metadata, restores)
    };
    let change = TargetWrite::Replace(draft, found.seen.clone());
    TargetPlan {
        change,
        standing: TargetState::Writing { new_pair },
    }
}

/// The state of a target that is already as desired.
fn unchanged(
    world: &Inputs<'_>,
    here: Option<&Published>,
    content: &Content<'_>,
    found: &FoundTarget,
) -> TargetState {
    let known =
        content.is_published || here.is_some_and(|here| same_pair_and_object(here, content, found));
    let seen = found.seen.clone();
    if known && here.is_some() && world.knows_ttl() && world.knows_labels() {
        TargetState::Current(seen)
    } else {
        TargetState::Recovered {
            seen,
            new_pair: !known,
        }
    }
}

/// Whether the status already records this pair in this object, of which only the version changed.
fn same_pair_and_object(here: &Published, content: &Content<'_>, found: &FoundTarget) -> bool {
    found.seen.uid == *here.uid && here.key_id_suffix == content.pair.pair.suffix()
}

/// Creates the target, unless a conflicting resource comes first.
fn create(world: &Inputs<'_>, content: Content<'_>) -> TargetPlan {
    let target = world.resource.target.as_str();
    if let Some(rival) = &world.view.conflicting_resource {
        return blocked(ownership::target_conflict(target, rival));
    }
    let new_pair = !content.is_published;
    let returns = world
        .published()
        .is_some_and(|published| published.secret_name == target);
    let restores = !new_pair && returns;
    if restores && world.restore_wait.is_some() {
        return TargetPlan {
            change: TargetWrite::Nothing,
            standing: TargetState::Waiting(contended(target)),
        };
    }
    let draft = DesiredSecret {
        confirmed_first: returns,
        ..content.draft(world.resource.owner().metadata(target), restores)
    };
    TargetPlan {
        change: TargetWrite::Create(draft),
        standing: TargetState::Writing { new_pair },
    }
}

fn contended(target: &str) -> Finding {
    let message = format!(
        "Secret \"{target}\" is changed repeatedly by another writer; it is restored after a pause; find that writer in its managedFields"
    );
    Finding::new(Reason::TargetModified, message)
}
