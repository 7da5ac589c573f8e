//! What may be known of the source's pair: the outcomes of a verification.

use std::sync::Arc;

use super::{Proof, SourcePair, checks, situation::Situation};
use crate::domain::{layout::Rendered, verdict::Finding};

/// What is known of the source's pair.
#[derive(Debug)]
pub(super) enum Verification {
    /// The source does not exist.
    SourceMissing,
    /// The source holds no well-formed pair, or none that the spec allows.
    Invalid(Finding),
    /// Proven (at level Format: well-formed) and allowed. A doubt is an answer of AWS that did not confirm the pair.
    Verified {
        proof: Option<Proof>,
        accepted_now: bool,
        doubt: Option<Finding>,
    },
    /// Rejected by AWS or the pins. A published pair may be withdrawn if the rejection is certain.
    Rejected {
        finding: Finding,
        by_aws: bool,
        certain: bool,
    },
    /// Not known yet.
    Pending(Finding),
}

/// A pair that may be written to a target, with the target's data. [`Verification::publishable`] alone makes one.
pub(super) struct Publishable<'a> {
    pub pair: &'a SourcePair,
    pub data: &'a Arc<Rendered>,
    _verified: (),
}

impl Verification {
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// The pair, if it was proven, or if level Format demands no proof.
    pub fn publishable<'a>(&self, situation: &Situation<'a>) -> Option<Publishable<'a>> {
        let Self::Verified { proof, .. } = self else {
            return None;
        };
        let is_proven = proof.is_some() || !situation.resource.verifies_online();
        let pair = situation.pair.filter(|_| is_proven)?;
        Some(Publishable {
            pair,
            data: pair.data.as_ref().ok()?,
            _verified: (),
        })
    }

    /// An inconclusive answer. A published pair that AWS proved once stays Ready while nothing certain is known
    /// against the pair.
    pub fn undetermined(situation: &Situation<'_>, finding: Finding) -> Self {
        match situation.proof.proof() {
            Some(proof) if situation.is_published => {
                Self::of_proof(situation, proof.clone(), false).doubted(Some(finding))
            }
            // Only if Ready: an outage of AWS does not restore a pair that was rejected for good.
            None if situation.was_proven()
                && situation.earlier.was_ready()
                && situation.is_intact()
                && situation.knows_spec() =>
            {
                Self::Verified {
                    proof: None,
                    accepted_now: false,
                    doubt: Some(finding),
                }
            }
            _ => Self::Pending(finding),
        }
    }

    /// A proven pair, unless the pins forbid its identity.
    pub fn of_proof(situation: &Situation<'_>, proof: Proof, accepted_now: bool) -> Self {
        let identity = proof.identity.as_ref();
        let checks = &situation.resource.checks;
        match identity.and_then(|identity| checks::of_identity(checks, identity)) {
            Some(finding) => Self::Rejected {
                finding,
                by_aws: false,
                certain: true,
            },
            None => Self::Verified {
                proof: Some(proof),
                accepted_now,
                doubt: None,
            },
        }
    }

    /// The same with a doubt, if the pair is verified.
    pub fn doubted(self, finding: Option<Finding>) -> Self {
        match self {
            Self::Verified {
                proof,
                accepted_now,
                ..
            } => Self::Verified {
                proof,
                accepted_now,
                doubt: finding,
            },
            other => other,
        }
    }
}
