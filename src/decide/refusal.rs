//! When AWS refuses a pair: how long that is only a doubt, and when it counts.

use std::time::Duration;

use super::{
    CONFIRMATION, Proof, Query, SourcePair, World,
    judge::{Judged, Judgement, uncertain},
    known::is_published,
    place::withdraws,
    schedule,
};
use crate::{
    region::Region,
    verdict::{Answer, Control, Finding, words},
};

/// Weighs a refusal.
pub(super) fn weigh(
    world: &World<'_>,
    pair: &SourcePair,
    region: &Region,
    known: Option<Proof>,
    answer: &Answer,
) -> Judgement {
    let published = is_published(world, pair);
    match answer {
        Answer::SignatureMismatch => {
            return Judgement::Known(wrong_signature(world, pair, region, known, published));
        }
        Answer::Expired if !world.endpoint_replaced => {
            let doubt = words::never_expires(region.as_str());
            return Judgement::Known(uncertain(world, doubt, known, published));
        }
        _ => {}
    }
    let settles = published || *answer == Answer::UnknownKey;
    let finding = refused(pair, answer, region);
    let refused_for = schedule::refused_for(world, pair).unwrap_or_default();
    if settles && !schedule::is_confirmed(refused_for) {
        return Judgement::Known(if published && world.status.identity.is_some() {
            uncertain(
                world,
                words::unconfirmed(&finding, CONFIRMATION),
                known,
                true,
            )
        } else {
            Judged::Pending {
                finding: words::settling(region.as_str()),
                published,
            }
        });
    }
    if !published {
        return Judgement::Known(by_aws(finding, false, true));
    }
    match elsewhere(world, region, known.as_ref()) {
        Some(judgement) => judgement,
        None => controlled(world, region, known, finding),
    }
}

/// What is odd about a pair is the likeliest cause of its refusal.
fn refused(pair: &SourcePair, answer: &Answer, region: &Region) -> Finding {
    let mut finding = words::refused(answer, region.as_str());
    pair.note(&mut finding);
    finding
}

fn by_aws(finding: Finding, published: bool, certain: bool) -> Judged {
    Judged::Refused {
        finding,
        published,
        by_aws: true,
        certain,
    }
}

/// IAM never changes the secret of an access key. A pair that was proven has the right one for ever, so a
/// wrong signature is the work of something on the way; it counts against no such pair, and withdraws none.
fn wrong_signature(
    world: &World<'_>,
    pair: &SourcePair,
    region: &Region,
    known: Option<Proof>,
    published: bool,
) -> Judged {
    // The identity in the status is always that of the published pair.
    let was_proven = known.is_some() || published && world.status.identity.is_some();
    if was_proven {
        return uncertain(world, words::altered(region.as_str()), known, published);
    }
    let finding = refused(pair, &Answer::SignatureMismatch, region);
    by_aws(finding, published, false)
}

/// Before a target is deleted, the partition's default region is asked: a region that was switched
/// off for the account answers just as for a key that is gone. None if nothing speaks against it.
fn elsewhere(world: &World<'_>, region: &Region, known: Option<&Proof>) -> Option<Judgement> {
    let default_region = region.partition().default_region();
    if !withdraws(world) || world.endpoint_replaced || default_region == region.as_str() {
        return None;
    }
    let doubt = match world.answer(default_region) {
        None => {
            let region = Region::parse(default_region).ok()?;
            return Some(Judgement::Ask(Query {
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
    Some(Judgement::Known(uncertain(
        world,
        doubt,
        known.cloned(),
        true,
    )))
}

/// A confirmed refusal of a published pair counts if the endpoint accepts another pair meanwhile. One that
/// counted before is not questioned again, unless a target may be deleted for it.
fn controlled(
    world: &World<'_>,
    region: &Region,
    known: Option<Proof>,
    finding: Finding,
) -> Judgement {
    let withdraws = withdraws(world);
    if !withdraws && schedule::was_refused(world) {
        return Judgement::Known(by_aws(finding, true, true));
    }
    Judgement::Known(match world.control {
        None => return Judgement::Control(region.clone()),
        Some(control @ (Control::Refused | Control::Undetermined)) => {
            let doubt = words::mass_rejection(control, region.as_str());
            uncertain(world, doubt, known, true)
        }
        Some(Control::NoPair) if withdraws && world.endpoint_replaced => {
            by_aws(words::uncontrolled(&finding), true, false)
        }
        Some(Control::Accepted | Control::NoPair) => by_aws(finding, true, true),
    })
}
