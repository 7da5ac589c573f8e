//! What is known of a pair while the answer of AWS is awaited: a change of source, spec or target does not
//! wait for it.

use super::{
    Awaited, Source, World,
    judge::{Judged, conforming, uncertain},
    known,
};
use crate::{
    api::{ConditionType, Reason},
    conditions,
    region::Region,
    verdict::{Finding, words},
};

/// What is known of the source's pair before the answer; none where only the answer can tell.
pub(super) fn meanwhile(
    world: &World<'_>,
    source: &Source,
    region: &Region,
    awaited: Awaited,
) -> Option<Judged> {
    let Source::Found(found) = source else {
        return None;
    };
    let pair = found.pair.as_ref().ok()?;
    let published = known::is_published(world, pair);
    let proof = match known::proof(world, pair, region) {
        known::Known::Proven(proof) => Some(proof),
        known::Known::No | known::Known::Unread(_) => None,
    };
    match awaited {
        Awaited::Endpoint(reason) => {
            let finding = words::undetermined(reason, region.as_str(), world.proxied);
            Some(uncertain(world, finding, proof, published))
        }
        Awaited::Turn => match conforming(world, proof.filter(|_| published)?, false, published) {
            Judged::Sound { proof, .. } => Some(Judged::Sound {
                proof,
                accepted_now: false,
                doubt: doubt_before(world),
            }),
            refused => Some(refused),
        },
    }
}

/// An earlier doubt lasts until AWS has answered.
fn doubt_before(world: &World<'_>) -> Option<Finding> {
    let condition = conditions::find(&world.status.conditions, ConditionType::Verified)?;
    let reason = Reason::parse(&condition.reason).filter(|reason| reason.is_doubt())?;
    Some(Finding::new(reason, condition.message.clone()))
}
