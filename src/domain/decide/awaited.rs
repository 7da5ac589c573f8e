//! Judges a pair while the answer of AWS is outstanding, so that a change of source, spec or target does not
//! wait for the answer.

use super::{
    Awaited, Inputs, Source,
    outcome::{Verification, check_constraints, undetermined},
    proof,
};
use crate::{
    api::{ConditionType, Reason},
    domain::{
        conditions,
        region::Region,
        verdict::{Finding, words},
    },
};

/// What is known of the source's pair before the answer; `None` where only the answer decides.
pub(super) fn meanwhile(
    world: &Inputs<'_>,
    source: &Source,
    region: &Region,
    awaited: Awaited,
) -> Option<Verification> {
    let Source::Found(found) = source else {
        return None;
    };
    let pair = found.pair.as_ref().ok()?;
    let published = proof::is_published(world, pair);
    let proof = match proof::proof(world, pair, region) {
        proof::Known::Proven(proof) => Some(proof),
        proof::Known::No | proof::Known::Unread(_) => None,
    };
    match awaited {
        Awaited::Endpoint(reason) => {
            let finding = words::undetermined(reason, region.as_str(), world.proxied);
            Some(undetermined(world, finding, proof, published))
        }
        Awaited::Turn => {
            match check_constraints(world, proof.filter(|_| published)?, false, published) {
                Verification::Verified { proof, .. } => Some(Verification::Verified {
                    proof,
                    accepted_now: false,
                    doubt: doubt_before(world),
                }),
                refused => Some(refused),
            }
        }
    }
}

/// A doubt that the status reports lasts until AWS has answered.
fn doubt_before(world: &Inputs<'_>) -> Option<Finding> {
    let condition = conditions::find(&world.status.conditions, ConditionType::Verified)?;
    let reason = Reason::parse(&condition.reason).filter(|reason| reason.is_undetermined())?;
    Some(Finding::new(reason, condition.message.clone()))
}
