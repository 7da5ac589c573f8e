//! What is known of a pair without a request: whether it was proven, and whether it is published.

use super::{DueState, Inputs, Proof, SourcePair, situation::Situation};
use crate::{
    api::Identity,
    domain::region::{Partition, Region},
};

/// Whether a pair was proven before.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// That depends on the content of the Secret of this name, which must be read.
    Unread(String),
    /// The pair is new, or must be proven anew.
    No,
    /// The pair was proven.
    Proven(Proof),
}

impl Known {
    /// The proof, if there is one.
    pub fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Proven(proof) => Some(proof),
            Self::Unread(_) | Self::No => None,
        }
    }
}

/// Whether the pair was proven before: by this process, or by the target if it carries the pair at the
/// version that the status records as published. Every other pair is new.
pub(super) fn known(situation: &Situation<'_>, pair: &SourcePair) -> Known {
    let resource = situation.resource;
    let Some(region) = resource
        .region
        .as_ref()
        .filter(|_| resource.verifies_with_sts())
    else {
        return Known::No;
    };
    match unread(situation, pair) {
        Some(name) => Known::Unread(name),
        None => in_region(situation, pair, region),
    }
}

fn in_region(situation: &Situation<'_>, pair: &SourcePair, region: &Region) -> Known {
    let here = |identity: &Identity| Partition::of_arn(&identity.arn) == Some(region.partition());
    let remembered = situation.memory.proof.as_ref();
    if let Some(proof) = remembered.filter(|proof| proof.fingerprint == pair.fingerprint) {
        return if here(&proof.identity) {
            Known::Proven(proof.clone())
        } else {
            Known::No
        };
    }
    let identity = situation.status.identity.as_ref();
    let Some(identity) = identity.filter(|identity| here(identity)) else {
        return Known::No;
    };
    let vouched = situation.earlier.was_verified() && situation.is_intact;
    let published = situation.memory.published;
    let another_is_published = published.is_some_and(|published| published != pair.fingerprint);
    // For an interval check the target need not be read: AWS is asked anyway, and nothing is written.
    let proven_anew = situation.due == DueState::Now
        && status_says_published(situation)
        && situation.knows_spec();
    if !vouched || another_is_published || proven_anew {
        return Known::No;
    }
    match (situation.carries(&pair.pair), situation.published()) {
        (Some(true), _) => Known::Proven(Proof {
            fingerprint: pair.fingerprint,
            region: None,
            identity: identity.clone(),
        }),
        (None, Some(published)) => Known::Unread(published.secret_name.clone()),
        _ => Known::No,
    }
}

/// Whether the target holds this pair.
pub(super) fn is_published(situation: &Situation<'_>, pair: &SourcePair) -> bool {
    if situation.published().is_none() {
        return false;
    }
    match situation.memory.published {
        Some(published) => published == pair.fingerprint,
        None => situation.carries(&pair.pair) == Some(true) || status_says_published(situation),
    }
}

/// The target that must be read to know whether it holds the source's pair: the process is new, the source
/// was touched, and its key ID ends like the published key ID.
fn unread(situation: &Situation<'_>, pair: &SourcePair) -> Option<String> {
    let published = situation.published()?;
    let unsure = situation.memory.published.is_none()
        && situation.is_intact
        && published.key_id_suffix == pair.pair.suffix()
        && !status_says_published(situation);
    (unsure && situation.carries(&pair.pair).is_none()).then(|| published.secret_name.clone())
}

fn status_says_published(situation: &Situation<'_>) -> bool {
    same_source(situation) && situation.earlier.held_source_pair()
}

/// Whether the source is at the version of which the status speaks.
fn same_source(inputs: &Inputs<'_>) -> bool {
    let source = inputs.status.source.as_ref();
    let source = source.zip(inputs.view.source.present());
    source.is_some_and(|(version, seen)| seen.is(&version.uid, &version.resource_version))
}
