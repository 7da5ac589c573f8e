//! When AWS rejects a pair: how long the rejection is only a doubt, and when it counts.

use std::time::Duration;

use super::{Next, Query, SourcePair, Step, outcome::Verification, situation::Situation};
use crate::domain::{
    place::Place,
    region::Region,
    verdict::{Answer, Control, Finding, words},
};

/// Weighs a rejection.
pub(super) fn evaluate(
    situation: &Situation<'_>,
    pair: &SourcePair,
    place: &Place,
    answer: &Answer,
) -> Next<Verification> {
    let is_published = situation.is_published;
    match (place, answer) {
        (Place::Sts(_), Answer::SignatureMismatch) => {
            return Ok(wrong_signature(situation, pair, place));
        }
        (Place::Sts(_), Answer::Expired) if !situation.endpoint_replaced => {
            let doubt = words::never_expires(place);
            return Ok(Verification::undetermined(situation, doubt));
        }
        _ => {}
    }
    // A store may change the secret of an access key ID, and its servers learn of the change one after another.
    let settles = is_published || *answer == Answer::UnknownKey || place.store().is_some();
    let finding = refused(pair, answer, place);
    let rejected_for = situation.rejected_for.unwrap_or_default();
    if settles && !situation.is_confirmed(rejected_for) {
        return Ok(if situation.was_proven() {
            let doubt = words::unconfirmed(&finding, place, situation.confirmation());
            Verification::undetermined(situation, doubt)
        } else {
            Verification::Pending(words::settling(place, situation.confirmation()))
        });
    }
    if !is_published {
        return Ok(by_aws(finding, true));
    }
    if let Place::Sts(region) = place
        && let Some(doubt) = doubt_of_default_region(situation, region)?
    {
        return Ok(Verification::undetermined(situation, doubt));
    }
    controlled(situation, place, finding)
}

/// Adds the notes on the pair: what is unusual about a pair is the likeliest cause of its rejection.
fn refused(pair: &SourcePair, answer: &Answer, place: &Place) -> Finding {
    let mut finding = words::refused(answer, place);
    pair.note(&mut finding);
    finding
}

fn by_aws(finding: Finding, certain: bool) -> Verification {
    Verification::Rejected {
        finding,
        by_aws: true,
        certain,
    }
}

/// IAM never changes the secret of an access key, so a proven pair has the right secret for ever: a wrong
/// signature comes from something between operator and STS and is only a doubt. No target is withdrawn for it.
fn wrong_signature(situation: &Situation<'_>, pair: &SourcePair, place: &Place) -> Verification {
    // The identity in the status is always that of the published pair.
    let was_published = situation.is_published && situation.status.identity.is_some();
    if situation.proof.proof().is_some() || was_published {
        return Verification::undetermined(situation, words::altered(place));
    }
    by_aws(refused(pair, &Answer::SignatureMismatch, place), false)
}

/// Before a target is deleted, the partition's default region must reject the key too: a region that the
/// account has disabled answers as for a deleted key. `None` if nothing speaks against the rejection.
fn doubt_of_default_region(situation: &Situation<'_>, region: &Region) -> Next<Option<Finding>> {
    let default_region = region.partition().default_region();
    if !situation.withdraws() || situation.endpoint_replaced || default_region == region.as_str() {
        return Ok(None);
    }
    let Ok(region) = Region::parse(default_region) else {
        return Ok(None);
    };
    let place = Place::Sts(region);
    Ok(match situation.answer(&place) {
        None => {
            return Err(Step::Ask(Query {
                place,
                new_pair: false,
                max_age: Duration::ZERO,
            }));
        }
        Some(Answer::UnknownKey) => None,
        Some(Answer::SignatureMismatch) => Some(words::altered(&place)),
        Some(Answer::Expired) => Some(words::never_expires(&place)),
        Some(Answer::Undetermined(reason) | Answer::Outage(reason)) => {
            let doubt = words::not_asked(*reason, default_region, &place, situation.proxied);
            Some(doubt)
        }
        Some(Answer::Identity(_) | Answer::Authenticated) => {
            Some(words::region_differs(default_region))
        }
    })
}

/// A confirmed rejection of a published pair counts if the endpoint still accepts another pair, or no other is
/// known. A rejection that counted before is not checked again, unless a target may be deleted for it.
fn controlled(situation: &Situation<'_>, place: &Place, finding: Finding) -> Next<Verification> {
    let withdraws = situation.withdraws();
    if !withdraws && situation.earlier.was_refused() {
        return Ok(by_aws(finding, true));
    }
    Ok(match situation.control {
        None => return Err(Step::Control(place.clone())),
        Some(control @ (Control::Refused | Control::Undetermined)) => {
            let doubt = words::mass_rejection(control, place);
            Verification::undetermined(situation, doubt)
        }
        Some(Control::NoPair)
            if withdraws && (situation.endpoint_replaced || place.store().is_some()) =>
        {
            by_aws(words::uncontrolled(&finding), false)
        }
        Some(Control::Accepted | Control::NoPair) => by_aws(finding, true),
    })
}
