//! What is known of a pair while the answer of AWS is outstanding, so that a change of source, spec or target does not
//! wait for the answer.

use super::{Awaited, Next, Plan, Requeue, Step, outcome::Verification, situation::Situation};
use crate::domain::{place::Place, verdict::words};

/// The verification before the answer, or the step that waits where only the answer decides.
pub(super) fn meanwhile(
    situation: &Situation<'_>,
    place: &Place,
    awaited: Awaited,
) -> Next<Verification> {
    let proof = situation.proof.proof();
    match awaited {
        Awaited::Endpoint(reason) => {
            let finding = words::undetermined(reason, place, situation.proxied);
            Ok(Verification::undetermined(situation, finding))
        }
        Awaited::Turn => match proof.filter(|_| situation.is_published) {
            // A doubt that the status reports lasts until AWS has answered.
            Some(proof) => Ok(Verification::of_proof(situation, proof.clone(), false)
                .doubted(situation.earlier.doubt())),
            None => Err(Step::Act(Box::new(Plan::rest(situation, Requeue::Answer)))),
        },
    }
}
