//! What may be known of the source's pair: the outcomes of a verification.

use super::{Inputs, Proof, Query, Read, constraints};
use crate::{
    api::ConditionType,
    domain::{region::Region, verdict::Finding},
};

/// The next step towards a verification.
pub(super) enum VerificationStep {
    Read(Read),
    Ask(Query),
    Control(Region),
    Known(Verification),
}

/// What is known of the source's pair.
#[derive(Debug)]
pub(super) enum Verification {
    /// The source does not exist.
    SourceMissing,
    /// The source holds no well-formed pair, or none that the spec allows.
    Invalid { finding: Finding, published: bool },
    /// Proven (at level Format: well-formed) and allowed. A doubt is an answer of AWS that did not confirm the pair.
    Verified {
        proof: Option<Proof>,
        accepted_now: bool,
        doubt: Option<Finding>,
    },
    /// Rejected by AWS or the pins. A published pair may be withdrawn if the rejection is certain.
    Rejected {
        finding: Finding,
        published: bool,
        by_aws: bool,
        certain: bool,
    },
    /// Not known yet.
    Pending { finding: Finding, published: bool },
}

/// A published pair that AWS proved once stays Ready while nothing certain is known against the pair.
pub(super) fn undetermined(
    world: &Inputs<'_>,
    finding: Finding,
    known: Option<Proof>,
    published: bool,
) -> Verification {
    let was_proven = world.status.identity.is_some() && published;
    match known {
        Some(proof) if published => match check_constraints(world, proof, false, published) {
            Verification::Verified { proof, .. } => Verification::Verified {
                proof,
                accepted_now: false,
                doubt: Some(finding),
            },
            refused => refused,
        },
        // Only if Ready: an outage of AWS does not restore a pair that was rejected for good.
        None if was_proven
            && world.was_true(ConditionType::Ready)
            && world.is_intact()
            && world.knows_spec() =>
        {
            Verification::Verified {
                proof: None,
                accepted_now: false,
                doubt: Some(finding),
            }
        }
        _ => Verification::Pending { finding, published },
    }
}

/// Applies the pins to a proven identity.
pub(super) fn check_constraints(
    world: &Inputs<'_>,
    proof: Proof,
    accepted_now: bool,
    published: bool,
) -> Verification {
    match constraints::identity_violation(world, &proof.identity) {
        Some(finding) => Verification::Rejected {
            finding,
            published,
            by_aws: false,
            certain: true,
        },
        None => Verification::Verified {
            proof: Some(proof),
            accepted_now,
            doubt: None,
        },
    }
}
