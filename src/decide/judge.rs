//! What is known of the source's pair, and what must be asked to know more.

use std::time::Duration;

use super::{
    Due, Proof, Query, Read, Source, SourcePair, World, known, newcomer, pins, refusal, schedule,
};
use crate::{
    account,
    api::{ConditionType, Identity, Reason},
    region::{Partition, Region},
    verdict::{Answer, Finding, words},
};

/// The next step towards a judgement.
pub(super) enum Judgement {
    Read(Read),
    Ask(Query),
    Control(Region),
    Known(Judged),
}

/// What is known of the source's pair.
#[derive(Debug)]
pub(super) enum Judged {
    /// There is no source.
    Missing,
    /// It cannot be a pair, or not one that the spec allows.
    Bad { finding: Finding, published: bool },
    /// It is proven and conforms. A doubt is an answer of AWS that did not confirm it this time.
    Sound {
        proof: Option<Proof>,
        accepted_now: bool,
        doubt: Option<Finding>,
    },
    /// AWS or the pins refuse it. A published one that is refused for certain may be withdrawn.
    Refused {
        finding: Finding,
        published: bool,
        by_aws: bool,
        certain: bool,
    },
    /// It is not known yet.
    Pending { finding: Finding, published: bool },
}

/// Judges the source's pair.
pub(super) fn judge(world: &World<'_>, source: &Source) -> Judgement {
    let found = match source {
        Source::Absent => return Judgement::Known(Judged::Missing),
        Source::Found(found) => found,
    };
    let pair = match &found.pair {
        Ok(pair) => pair,
        Err(finding) => {
            let finding = finding.clone();
            return Judgement::Known(Judged::Bad {
                finding,
                published: false,
            });
        }
    };
    if let Some(finding) = pins::unfit(world, pair) {
        let published = known::is_published(world, pair);
        return Judgement::Known(Judged::Bad { finding, published });
    }
    match (&world.resource.region, world.resource.asks_aws()) {
        (Some(region), true) => by_identity(world, pair, region),
        _ => Judgement::Known(Judged::Sound {
            proof: None,
            accepted_now: false,
            doubt: None,
        }),
    }
}

fn by_identity(world: &World<'_>, pair: &SourcePair, region: &Region) -> Judgement {
    if let Some(name) = known::unread(world, pair) {
        return Judgement::Read(Read::Target(name));
    }
    let known = match known::proof(world, pair, region) {
        known::Known::Unread(name) => return Judgement::Read(Read::Target(name)),
        known::Known::No => None,
        known::Known::Proven(proof) => Some(proof),
    };
    if let Some(answer) = world.answer(region.as_str()) {
        return weigh(world, pair, region, known, answer);
    }
    match known {
        Some(proof) if !must_ask(world, &proof, region) => {
            let published = known::is_published(world, pair);
            Judgement::Known(conforming(world, proof, false, published))
        }
        Some(_) => Judgement::Ask(Query {
            region: region.clone(),
            new_pair: false,
            max_age: max_age(world, pair),
        }),
        None if settles_meanwhile(world, pair) => Judgement::Known(Judged::Pending {
            finding: words::settling(region.as_str()),
            published: known::is_published(world, pair),
        }),
        None if newcomer::waits(world).is_some() => Judgement::Known(Judged::Pending {
            finding: words::refused_before(region.as_str()),
            published: false,
        }),
        None => Judgement::Ask(Query {
            region: region.clone(),
            // One whose target is gone or was edited waits for a write as a new pair does. A refused pair
            // that is asked about by itself does not go before those that people wait for.
            new_pair: !(known::is_published(world, pair) && world.is_intact()
                || world.due == Due::Now && schedule::was_refused(world)),
            max_age: max_age(world, pair),
        }),
    }
}

/// Whether AWS refused this very pair a moment ago and the next question has its time. A source that
/// is touched again and again must not bring more of them.
fn settles_meanwhile(world: &World<'_>, pair: &SourcePair) -> bool {
    world.due == Due::Later && world.memory.settling == Some(pair.fingerprint) && world.knows_spec()
}

/// Whether a proven pair is asked about again now.
fn must_ask(world: &World<'_>, proof: &Proof, region: &Region) -> bool {
    let spec_changed = !world.knows_spec();
    let elsewhere = match &proof.region {
        Some(asked) => asked != region.as_str(),
        None => spec_changed,
    };
    let doubted = world
        .reason_before(ConditionType::Verified)
        .is_some_and(Reason::is_doubt);
    world.due == Due::Now || elsewhere || doubted
}

/// How old a known answer may be. One that lifts a refusal must be younger than it, and somebody
/// who touched a refused source wants a new one.
fn max_age(world: &World<'_>, pair: &SourcePair) -> Duration {
    // An identity that STS would not name is remembered as any other.
    if world.reason_before(ConditionType::Verified) == Some(Reason::StsUnexpectedResponse) {
        return Duration::ZERO;
    }
    let age = if known::is_published(world, pair) {
        world.resource.checks.interval / 2
    } else {
        world.resource.checks.interval
    };
    match schedule::refused_for(world, pair) {
        Some(refused_for) if schedule::is_confirmed(refused_for) && world.due != Due::Now => {
            Duration::ZERO
        }
        Some(refused_for) => refused_for.min(age),
        None => age,
    }
}

fn weigh(
    world: &World<'_>,
    pair: &SourcePair,
    region: &Region,
    known: Option<Proof>,
    answer: &Answer,
) -> Judgement {
    let published = known::is_published(world, pair);
    match answer {
        Answer::Identity(identity) => {
            if let Some(finding) = no_identity(world, pair, region, identity) {
                return Judgement::Known(uncertain(world, finding, known, published));
            }
            let proof = Proof {
                fingerprint: pair.fingerprint,
                region: Some(region.as_str().to_owned()),
                identity: identity.clone(),
            };
            Judgement::Known(conforming(world, proof, true, published))
        }
        Answer::Undetermined(reason) | Answer::Outage(reason) => {
            let finding = words::undetermined(*reason, region.as_str(), world.proxied);
            Judgement::Known(uncertain(world, finding, known, published))
        }
        Answer::UnknownKey | Answer::SignatureMismatch | Answer::Expired => {
            refusal::weigh(world, pair, region, known, answer)
        }
    }
}

/// Why an identity is none that STS would name for the pair: it is of another partition, or not of the account
/// that the access key ID encodes. Other stores encode nothing, and of other partitions it is not known.
fn no_identity(
    world: &World<'_>,
    pair: &SourcePair,
    region: &Region,
    identity: &Identity,
) -> Option<Finding> {
    if Partition::of_arn(&identity.arn) != Some(region.partition()) {
        let reason = Reason::StsUnexpectedResponse;
        return Some(words::undetermined(reason, region.as_str(), world.proxied));
    }
    if world.endpoint_replaced || region.partition() != Partition::Aws {
        return None;
    }
    let encoded = account::decode(pair.pair.access_key_id.reveal())?;
    let named = &identity.account_id;
    (encoded != *named).then(|| words::other_account(named, &encoded, region.as_str()))
}

/// A published pair that AWS proved once stays Ready while nothing certain is known against it.
pub(super) fn uncertain(
    world: &World<'_>,
    finding: Finding,
    known: Option<Proof>,
    published: bool,
) -> Judged {
    let was_proven = world.status.identity.is_some() && published;
    match known {
        Some(proof) if published => match conforming(world, proof, false, published) {
            Judged::Sound { proof, .. } => Judged::Sound {
                proof,
                accepted_now: false,
                doubt: Some(finding),
            },
            refused => refused,
        },
        // A pair that was refused for good is not taken back because AWS is away.
        None if was_proven
            && world.was_true(ConditionType::Ready)
            && world.is_intact()
            && world.knows_spec() =>
        {
            Judged::Sound {
                proof: None,
                accepted_now: false,
                doubt: Some(finding),
            }
        }
        _ => Judged::Pending { finding, published },
    }
}

/// What a proof is worth under the pins.
pub(super) fn conforming(
    world: &World<'_>,
    proof: Proof,
    accepted_now: bool,
    published: bool,
) -> Judged {
    match pins::violated(world, &proof.identity) {
        Some(finding) => Judged::Refused {
            finding,
            published,
            by_aws: false,
            certain: true,
        },
        None => Judged::Sound {
            proof: Some(proof),
            accepted_now,
            doubt: None,
        },
    }
}
