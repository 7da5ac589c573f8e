//! When AWS rejects a pair: how long the rejection is only a doubt, and when it counts.

use std::time::Duration;

use super::{
    Next, Query, REJECTION_CONFIRMATION, SourcePair, Step, outcome::Verification, rejection_window,
    situation::Situation,
};
use crate::domain::{
    region::Region,
    verdict::{Answer, Control, Finding, words},
};

/// Weighs a rejection.
pub(super) fn evaluate(
    situation: &Situation<'_>,
    pair: &SourcePair,
    region: &Region,
    answer: &Answer,
) -> Next<Verification> {
    let is_published = situation.is_published;
    match answer {
        Answer::SignatureMismatch => return Ok(wrong_signature(situation, pair, region)),
        Answer::Expired if !situation.endpoint_replaced => {
            let doubt = words::never_expires(region.as_str());
            return Ok(Verification::undetermined(situation, doubt));
        }
        _ => {}
    }
    let settles = is_published || *answer == Answer::UnknownKey;
    let finding = refused(pair, answer, region);
    let rejected_for = situation.rejected_for.unwrap_or_default();
    if settles && !rejection_window::is_confirmed(rejected_for) {
        return Ok(if is_published && situation.status.identity.is_some() {
            let doubt = words::unconfirmed(&finding, REJECTION_CONFIRMATION);
            Verification::undetermined(situation, doubt)
        } else {
            Verification::Pending(words::settling(region.as_str()))
        });
    }
    if !is_published {
        return Ok(by_aws(finding, true));
    }
    if let Some(doubt) = doubt_of_default_region(situation, region)? {
        return Ok(Verification::undetermined(situation, doubt));
    }
    controlled(situation, region, finding)
}

/// Adds the notes on the pair: what is unusual about a pair is the likeliest cause of its rejection.
fn refused(pair: &SourcePair, answer: &Answer, region: &Region) -> Finding {
    let mut finding = words::refused(answer, region.as_str());
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
fn wrong_signature(situation: &Situation<'_>, pair: &SourcePair, region: &Region) -> Verification {
    // The identity in the status is always that of the published pair.
    let was_published = situation.is_published && situation.status.identity.is_some();
    if situation.proof.proof().is_some() || was_published {
        return Verification::undetermined(situation, words::altered(region.as_str()));
    }
    by_aws(refused(pair, &Answer::SignatureMismatch, region), false)
}

/// Before a target is deleted, the partition's default region must reject the key too: a region that the
/// account has disabled answers as for a deleted key. `None` if nothing speaks against the rejection.
fn doubt_of_default_region(situation: &Situation<'_>, region: &Region) -> Next<Option<Finding>> {
    let default_region = region.partition().default_region();
    if !situation.withdraws() || situation.endpoint_replaced || default_region == region.as_str() {
        return Ok(None);
    }
    Ok(match situation.answer(default_region) {
        None => {
            let Ok(region) = Region::parse(default_region) else {
                return Ok(None);
            };
            return Err(Step::Ask(Query {
                region,
                new_pair: false,
                max_age: Duration::ZERO,
            }));
        }
        Some(Answer::UnknownKey) => None,
        Some(Answer::SignatureMismatch) => Some(words::altered(default_region)),
        Some(Answer::Expired) => Some(words::never_expires(default_region)),
        Some(Answer::Undetermined(reason) | Answer::Outage(reason)) => {
            let doubt = words::not_asked(*reason, default_region, situation.proxied);
            Some(doubt)
        }
        Some(Answer::Identity(_)) => Some(words::region_differs(default_region)),
    })
}

/// A confirmed rejection of a published pair counts if the endpoint still accepts another pair, or no other is
/// known. A rejection that counted before is not checked again, unless a target may be deleted for it.
fn controlled(situation: &Situation<'_>, region: &Region, finding: Finding) -> Next<Verification> {
    let withdraws = situation.withdraws();
    if !withdraws && situation.earlier.was_refused() {
        return Ok(by_aws(finding, true));
    }
    Ok(match situation.control {
        None => return Err(Step::Control(region.clone())),
        Some(control @ (Control::Refused | Control::Undetermined)) => {
            let doubt = words::mass_rejection(control, region.as_str());
            Verification::undetermined(situation, doubt)
        }
        Some(Control::NoPair) if withdraws && situation.endpoint_replaced => {
            by_aws(words::uncontrolled(&finding), false)
        }
        Some(Control::Accepted | Control::NoPair) => by_aws(finding, true),
    })
}
