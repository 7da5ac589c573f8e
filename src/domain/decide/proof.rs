//! What is known of a pair without a request: whether it was proven, and whether it is published.

use super::{DueState, Inputs, Proof, SourcePair, earlier::Earlier};
use crate::domain::place::{self, Place};

/// Whether a pair was proven before.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// That depends on the content of the Secret of this name, which must be read.
    Unread(String),
    /// The pair is new, or must be proven again.
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
pub(super) fn known(inputs: &Inputs<'_>, earlier: &Earlier<'_>, pair: &SourcePair) -> Known {
    let Some(place) = inputs.resource.place() else {
        return Known::No;
    };
    match unread(inputs, earlier, pair) {
        Some(name) => Known::Unread(name),
        None => in_place(inputs, earlier, pair, &place),
    }
}

fn in_place(inputs: &Inputs<'_>, earlier: &Earlier<'_>, pair: &SourcePair, place: &Place) -> Known {
    let remembered = inputs.memory.proof.as_ref();
    if let Some(proof) = remembered.filter(|proof| proof.fingerprint == pair.fingerprint) {
        return if is_of(place, proof) {
            Known::Proven(proof.clone())
        } else {
            Known::No
        };
    }
    if !place.is_recorded_in(inputs.status) {
        return Known::No;
    }
    let vouched = earlier.was_verified() && inputs.is_intact();
    let published = inputs.memory.published;
    let another_is_published = published.is_some_and(|published| published != pair.fingerprint);
    // For an interval check the target need not be read: AWS is asked anyway, and nothing is written.
    let is_interval_check = inputs.due == DueState::Now
        && status_says_published(inputs, earlier)
        && inputs.knows_spec();
    if !vouched || another_is_published || is_interval_check {
        return Known::No;
    }
    match (inputs.carries(&pair.pair), inputs.published()) {
        (Some(true), _) => Known::Proven(Proof {
            fingerprint: pair.fingerprint,
            place: place.store().and_then(|_| class_key(inputs)),
            identity: inputs.status.identity.clone(),
        }),
        (None, Some(published)) => Known::Unread(published.secret_name.clone()),
        _ => Known::No,
    }
}

/// Whether a proof of this process counts for the place: the same partition of AWS, or the same class.
fn is_of(place: &Place, proof: &Proof) -> bool {
    match (place, &proof.identity) {
        (Place::Sts(_), Some(identity)) => place.has_identity(identity),
        (Place::Store(_), None) => {
            let asked = proof.place.as_deref();
            asked.is_some_and(|key| place.is_generation_of(key))
        }
        _ => false,
    }
}

/// The key of the place that the class in the status describes.
fn class_key(inputs: &Inputs<'_>) -> Option<String> {
    let class = inputs.status.class.as_ref()?;
    Some(place::key(&class.uid, class.generation))
}

/// Whether the target holds this pair.
pub(super) fn is_published(inputs: &Inputs<'_>, earlier: &Earlier<'_>, pair: &SourcePair) -> bool {
    if inputs.published().is_none() {
        return false;
    }
    match inputs.memory.published {
        Some(published) => published == pair.fingerprint,
        None => inputs.carries(&pair.pair) == Some(true) || status_says_published(inputs, earlier),
    }
}

/// The target that must be read to know whether it holds the source's pair: the process is new, the source
/// was touched, and its key ID ends like the published key ID.
fn unread(inputs: &Inputs<'_>, earlier: &Earlier<'_>, pair: &SourcePair) -> Option<String> {
    let published = inputs.published()?;
    let unsure = inputs.memory.published.is_none()
        && inputs.is_intact()
        && published.key_id_suffix == pair.pair.suffix()
        && !status_says_published(inputs, earlier);
    (unsure && inputs.carries(&pair.pair).is_none()).then(|| published.secret_name.clone())
}

fn status_says_published(inputs: &Inputs<'_>, earlier: &Earlier<'_>) -> bool {
    inputs.knows_source() && earlier.held_source_pair()
}
