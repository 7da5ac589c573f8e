//! What is known of a pair without a request: whether it was proven, and whether it is published.

use super::{DueState, Inputs, Proof, SourcePair};
use crate::{
    api::{ConditionType, Identity, Reason},
    domain::region::{Partition, Region},
};

/// Whether a pair was proven before.
pub(super) enum Known {
    Unread(String),
    No,
    Proven(Proof),
}

/// Whether the pair was proven before: by this process, or by the target if it carries the pair at the
/// version that the status records as published. Every other pair is new.
pub(super) fn proof(world: &Inputs<'_>, pair: &SourcePair, region: &Region) -> Known {
    let here = |identity: &Identity| Partition::of_arn(&identity.arn) == Some(region.partition());
    if let Some(proof) = world
        .memory
        .proof
        .as_ref()
        .filter(|proof| proof.fingerprint == pair.fingerprint)
    {
        return if here(&proof.identity) {
            Known::Proven(proof.clone())
        } else {
            Known::No
        };
    }
    let Some(identity) = world
        .status
        .identity
        .as_ref()
        .filter(|identity| here(identity))
    else {
        return Known::No;
    };
    let vouched = world.was_true(ConditionType::Verified) && world.is_intact();
    let another_is_published = world
        .memory
        .published
        .is_some_and(|published| published != pair.fingerprint);
    // For an interval check the target need not be read: AWS is asked anyway, and nothing is written.
    let proven_anew =
        world.due == DueState::Now && status_says_published(world) && world.knows_spec();
    if !vouched || another_is_published || proven_anew {
        return Known::No;
    }
    match (world.carries(&pair.pair), world.published()) {
        (Some(true), _) => Known::Proven(Proof {
            fingerprint: pair.fingerprint,
            region: None,
            identity: identity.clone(),
        }),
        (None, Some(published)) => Known::Unread(published.secret_name.clone()),
        _ => Known::No,
    }
}

/// Whether the target holds this pair. If the status is the only evidence, no write may depend on the result.
pub(super) fn is_published(world: &Inputs<'_>, pair: &SourcePair) -> bool {
    if world.published().is_none() {
        return false;
    }
    match world.memory.published {
        Some(published) => published == pair.fingerprint,
        None => world.carries(&pair.pair) == Some(true) || status_says_published(world),
    }
}

/// The target that must be read to know whether it holds the source's pair: the process is new, the source
/// was touched, and its key ID ends like the published key ID.
pub(super) fn unread(world: &Inputs<'_>, pair: &SourcePair) -> Option<String> {
    let published = world.published()?;
    let unsure = world.memory.published.is_none()
        && world.is_intact()
        && published.key_id_suffix == pair.pair.suffix()
        && !status_says_published(world);
    (unsure && world.carries(&pair.pair).is_none()).then(|| published.secret_name.clone())
}

pub(super) fn status_says_published(world: &Inputs<'_>) -> bool {
    let source = world
        .status
        .source
        .as_ref()
        .zip(world.view.source.present());
    let same_source =
        source.is_some_and(|(version, seen)| seen.is(&version.uid, &version.resource_version));
    same_source && world.reason_before(ConditionType::Published) == Some(Reason::Published)
}
