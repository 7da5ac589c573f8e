//! When AWS refuses a pair: how long that is only a doubt, and when it counts.

use std::time::Duration;

use super::{
    CONFIRMATION, Proof, Query, SourcePair, World,
    judge::{Judged, Judgement, uncertain},
    known::is_published,
    schedule,
};
use crate::{
    api::OnRejected,
    region::Region,
    verdict::{Answer, Finding, words},
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
            return Judgement::Known(wrong_signature(world, region, known, published));
        }
        Answer::Expired if !world.endpoint_replaced => {
            let doubt = words::never_expires(region.as_str());
            return Judgement::Known(uncertain(world, doubt, known, published));
        }
        _ => {}
    }
    let settles = published || *answer == Answer::UnknownKey;
    let finding = words::refused(answer, region.as_str());
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
    if published && others_refused_too(world) {
        return Judgement::Known(uncertain(world, words::mass_rejection(), known, true));
    }
    let default_region = region.partition().default_region();
    let withdraws = published && world.resource.checks.on_rejected == OnRejected::Withdraw;
    if withdraws && !world.endpoint_replaced && default_region != region.as_str() {
        return elsewhere(world, default_region, known, finding);
    }
    Judgement::Known(Judged::Refused {
        finding,
        published,
        by_aws: true,
    })
}

/// IAM never changes the secret of an access key. A pair that was proven has the right one for ever, so a
/// wrong signature is the work of something on the way; it counts against no such pair.
fn wrong_signature(
    world: &World<'_>,
    region: &Region,
    known: Option<Proof>,
    published: bool,
) -> Judged {
    // The identity in the status is always that of the published pair.
    let was_proven = known.is_some() || published && world.status.identity.is_some();
    if was_proven {
        return uncertain(world, words::altered(region.as_str()), known, published);
    }
    Judged::Refused {
        finding: words::refused(&Answer::SignatureMismatch, region.as_str()),
        published,
        by_aws: true,
    }
}

/// Before a target is deleted, the partition's default region is asked: a region that was switched
/// off for the account answers just as for a key that is gone.
fn elsewhere(
    world: &World<'_>,
    default_region: &str,
    known: Option<Proof>,
    finding: Finding,
) -> Judgement {
    match (world.answer(default_region), Region::parse(default_region)) {
        (None, Ok(region)) => Judgement::Ask(Query {
            region,
            new_pair: false,
            max_age: Duration::ZERO,
        }),
        (Some(Answer::SignatureMismatch), _) => {
            let doubt = words::altered(default_region);
            Judgement::Known(uncertain(world, doubt, known, true))
        }
        (Some(Answer::Expired), _) => {
            let doubt = words::never_expires(default_region);
            Judgement::Known(uncertain(world, doubt, known, true))
        }
        (Some(Answer::UnknownKey), _) | (None, Err(_)) => Judgement::Known(Judged::Refused {
            finding,
            published: true,
            by_aws: true,
        }),
        (Some(_), _) => {
            let doubt = words::region_differs(default_region);
            Judgement::Known(uncertain(world, doubt, known, true))
        }
    }
}

/// Whether pairs of other accounts turned rejected at the same time.
fn others_refused_too(world: &World<'_>) -> bool {
    let own = world
        .status
        .identity
        .as_ref()
        .map(|identity| identity.account_id.as_str());
    own.is_some()
        && world
            .refused_accounts
            .iter()
            .any(|account| Some(account.as_str()) != own)
}
