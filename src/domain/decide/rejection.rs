//! When AWS rejects a pair: how long the rejection is only a doubt, and when it counts.

use std::time::Duration;

use super::{
    Inputs, Proof, Query, REJECTION_CONFIRMATION, SourcePair,
    outcome::{Verification, VerificationStep, undetermined},
    proof::is_published,
    rejection_window,
    target_state::withdraws,
};
use crate::domain::{
    region::Region,
    verdict::{Answer, Control, Finding, words},
};

/// Weighs a rejection.
pub(super) fn evaluate(
    world: &Inputs<'_>,
    pair: &SourcePair,
    region: &Region,
    known: Option<Proof>,
    answer: &Answer,
) -> VerificationStep {
    let published = is_published(world, pair);
    match answer {
        Answer::SignatureMismatch => {
            return VerificationStep::Known(wrong_signature(world, pair, region, known, published));
        }
        Answer::Expired if !world.endpoint_replaced => {
            let doubt = words::never_expires(region.as_str());
            return VerificationStep::Known(undetermined(world, doubt, known, published));
        }
        _ => {}
    }
    let settles = published || *answer == Answer::UnknownKey;
    let finding = refused(pair, answer, region);
    let refused_for = rejection_window::refused_for(world, pair).unwrap_or_default();
    if settles && !rejection_window::is_confirmed(refused_for) {
        return VerificationStep::Known(if published && world.status.identity.is_some() {
            undetermined(
                world,
                words::unconfirmed(&finding, REJECTION_CONFIRMATION),
                known,
                true,
            )
        } else {
            Verification::Pending {
                finding: words::settling(region.as_str()),
                published,
            }
        });
    }
    if !published {
        return VerificationStep::Known(by_aws(finding, false, true));
    }
    match confirm_in_default_region(world, region, known.as_ref()) {
        Some(judgement) => judgement,
        None => controlled(world, region, known, finding),
    }
}

/// Adds the notes on the pair: what is unusual about a pair is the likeliest cause of its rejection.
fn refused(pair: &SourcePair, answer: &Answer, region: &Region) -> Finding {
    let mut finding = words::refused(answer, region.as_str());
    pair.note(&mut finding);
    finding
}

fn by_aws(finding: Finding, published: bool, certain: bool) -> Verification {
    Verification::Rejected {
        finding,
        published,
        by_aws: true,
        certain,
    }
}

/// IAM never changes the secret of an access key, so a proven pair has the right secret for ever: a wrong
/// signature comes from something between operator and STS and is only a doubt. No target is withdrawn for it.
fn wrong_signature(
    world: &Inputs<'_>,
    pair: &SourcePair,
    region: &Region,
    known: Option<Proof>,
    published: bool,
) -> Verification {
    // The identity in the status is always that of the published pair.
    let was_proven = known.is_some() || published && world.status.identity.is_some();
    if was_proven {
        return undetermined(world, words::altered(region.as_str()), known, published);
    }
    let finding = refused(pair, &Answer::SignatureMismatch, region);
    by_aws(finding, published, false)
}

/// Before a target is deleted, the partition's default region must reject the key too: a region that the
/// account has disabled answers as for a deleted key. `None` if nothing speaks against the rejection.
fn confirm_in_default_region(
    world: &Inputs<'_>,
    region: &Region,
    known: Option<&Proof>,
) -> Option<VerificationStep> {
    let default_region = region.partition().default_region();
    if !withdraws(world) || world.endpoint_replaced || default_region == region.as_str() {
        return None;
    }
    let doubt = match world.answer(default_region) {
        None => {
            let region = Region::parse(default_region).ok()?;
            return Some(VerificationStep::Ask(Query {
                region,
                new_pair: false,
                max_age: Duration::ZERO,
            }));
        }
        Some(Answer::UnknownKey) => return None,
        Some(Answer::SignatureMismatch) => words::altered(default_region),
        Some(Answer::Expired) => words::never_expires(default_region),
        Some(Answer::Undetermined(reason) | Answer::Outage(reason)) => {
            words::not_asked(*reason, default_region, world.proxied)
        }
        Some(Answer::Identity(_)) => words::region_differs(default_region),
    };
    Some(VerificationStep::Known(undetermined(
        world,
        doubt,
        known.cloned(),
        true,
    )))
}

/// A confirmed rejection of a published pair counts if the endpoint still accepts another pair, or no other is
/// known. A rejection that counted before is not checked again, unless a target may be deleted for it.
fn controlled(
    world: &Inputs<'_>,
    region: &Region,
    known: Option<Proof>,
    finding: Finding,
) -> VerificationStep {
    let withdraws = withdraws(world);
    if !withdraws && rejection_window::was_refused(world) {
        return VerificationStep::Known(by_aws(finding, true, true));
    }
    VerificationStep::Known(match world.control {
        None => return VerificationStep::Control(region.clone()),
        Some(control @ (Control::Refused | Control::Undetermined)) => {
            let doubt = words::mass_rejection(control, region.as_str());
            undetermined(world, doubt, known, true)
        }
        Some(Control::NoPair) if withdraws && world.endpoint_replaced => {
            by_aws(words::uncontrolled(&finding), true, false)
        }
        Some(Control::Accepted | Control::NoPair) => by_aws(finding, true, true),
    })
}
