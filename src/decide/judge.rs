//! What is known of the source's pair, and what must be asked to know more.

use std::time::Duration;

use super::{Due, Proof, Query, Read, Source, SourcePair, World, pins, refusal, schedule};
use crate::{
    api::{ConditionType, Identity, Reason},
    region::{Partition, Region},
    verdict::{Answer, Finding, words},
};

/// The next step towards a judgement.
pub(super) enum Judgement {
    Read(Read),
    Ask(Query),
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
    /// AWS or the pins refuse it.
    Refused {
        finding: Finding,
        published: bool,
        by_aws: bool,
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
        let published = is_published(world, pair);
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
    if let Some(name) = unread(world, pair) {
        return Judgement::Read(Read::Target(name));
    }
    let known = match known_proof(world, pair, region) {
        Known::Unread(name) => return Judgement::Read(Read::Target(name)),
        Known::No => None,
        Known::Proven(proof) => Some(proof),
    };
    if let Some(answer) = world.answer(region.as_str()) {
        return weigh(world, pair, region, known, answer);
    }
    match known {
        Some(proof) if !must_ask(world, &proof, region) => {
            conforming(world, proof, false, is_published(world, pair))
        }
        Some(_) => Judgement::Ask(Query {
            region: region.clone(),
            new_pair: false,
            max_age: max_age(world, pair),
        }),
        None if settles_meanwhile(world, pair) => Judgement::Known(Judged::Pending {
            finding: words::settling(region.as_str()),
            published: is_published(world, pair),
        }),
        None => Judgement::Ask(Query {
            region: region.clone(),
            new_pair: !is_published(world, pair),
            max_age: max_age(world, pair),
        }),
    }
}

enum Known {
    Unread(String),
    No,
    Proven(Proof),
}

/// Whether the pair was proven before: by this process, or by the target that carries it at the
/// version that the status calls published. Everything else is new.
fn known_proof(world: &World<'_>, pair: &SourcePair, region: &Region) -> Known {
    let here = |identity: &Identity| Partition::of_arn(&identity.arn) == Some(region.partition());
    if let Some(proof) = world
        .memory
        .proof
        .as_ref()
        .filter(|proof| proof.fingerprint == pair.fingerprint)
    {
        return if here(&proof.identity) {
            Known::Proven(proof.clone())
        } else {
            Known::No
        };
    }
    let Some(identity) = world
        .status
        .identity
        .as_ref()
        .filter(|identity| here(identity))
    else {
        return Known::No;
    };
    let vouched = world.was_true(ConditionType::Verified) && world.is_intact();
    let another_is_published = world
        .memory
        .published
        .is_some_and(|published| published != pair.fingerprint);
    // For an interval proof the target need not be read: AWS is asked anyway, and nothing is written.
    let proven_anew = world.due == Due::Now && status_says_published(world);
    if !vouched || another_is_published || proven_anew {
        return Known::No;
    }
    match (world.carries(&pair.pair), world.published()) {
        (Some(true), _) => Known::Proven(Proof {
            fingerprint: pair.fingerprint,
            region: None,
            identity: identity.clone(),
        }),
        (None, Some(published)) => Known::Unread(published.secret_name.clone()),
        _ => Known::No,
    }
}

/// Whether the target holds this pair. Where only the status says so, it decides no write.
pub(super) fn is_published(world: &World<'_>, pair: &SourcePair) -> bool {
    if world.published().is_none() {
        return false;
    }
    match world.memory.published {
        Some(published) => published == pair.fingerprint,
        None => world.carries(&pair.pair) == Some(true) || status_says_published(world),
    }
}

/// The target that must be read to know whether the source's pair is the one in it: a new process
/// meets a source that was touched, and a key ID that ends as the published one does.
fn unread(world: &World<'_>, pair: &SourcePair) -> Option<String> {
    let published = world.published()?;
    let unsure = world.memory.published.is_none()
        && world.is_intact()
        && published.key_id_suffix == pair.pair.suffix()
        && !status_says_published(world);
    (unsure && world.carries(&pair.pair).is_none()).then(|| published.secret_name.clone())
}

fn status_says_published(world: &World<'_>) -> bool {
    let source = world
        .status
        .source
        .as_ref()
        .zip(world.view.source.present());
    let same_source =
        source.is_some_and(|(version, seen)| seen.is(&version.uid, &version.resource_version));
    same_source && world.reason_before(ConditionType::Published) == Some(Reason::Published)
}

/// Whether AWS refused this very pair a moment ago and the next question has its time. A source that
/// is touched again and again must not bring more of them.
fn settles_meanwhile(world: &World<'_>, pair: &SourcePair) -> bool {
    world.due == Due::Later
        && world.memory.settling == Some(pair.fingerprint)
        && world.status.observed_generation == world.resource.generation
}

/// Whether a proven pair is asked about again now.
fn must_ask(world: &World<'_>, proof: &Proof, region: &Region) -> bool {
    let spec_changed = world.status.observed_generation != world.resource.generation;
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
    let age = if is_published(world, pair) {
        world.resource.checks.interval / 2
    } else {
        world.resource.checks.interval
    };
    match schedule::refused_for(world, &pair.pair.suffix()) {
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
    let published = is_published(world, pair);
    match answer {
        Answer::Identity(identity)
            if Partition::of_arn(&identity.arn) != Some(region.partition()) =>
        {
            let finding = words::undetermined(Reason::StsUnexpectedResponse, region.as_str());
            Judgement::Known(uncertain(world, finding, known, published))
        }
        Answer::Identity(identity) => {
            let proof = Proof {
                fingerprint: pair.fingerprint,
                region: Some(region.as_str().to_owned()),
                identity: identity.clone(),
            };
            conforming(world, proof, true, published)
        }
        Answer::Undetermined(reason) => {
            let finding = words::undetermined(*reason, region.as_str());
            Judgement::Known(uncertain(world, finding, known, published))
        }
        Answer::UnknownKey | Answer::SignatureMismatch | Answer::Expired => {
            refusal::weigh(world, pair, region, known, answer)
        }
    }
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
        Some(proof) if published => match pins::violated(world, &proof.identity) {
            Some(finding) => Judged::Refused {
                finding,
                published,
                by_aws: false,
            },
            None => Judged::Sound {
                proof: Some(proof),
                accepted_now: false,
                doubt: Some(finding),
            },
        },
        // A pair that was refused for good is not taken back because AWS is away.
        None if was_proven
            && world.was_true(ConditionType::Ready)
            && world.is_intact()
            && world.status.observed_generation == world.resource.generation =>
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

fn conforming(world: &World<'_>, proof: Proof, accepted_now: bool, published: bool) -> Judgement {
    Judgement::Known(match pins::violated(world, &proof.identity) {
        Some(finding) => Judged::Refused {
            finding,
            published,
            by_aws: false,
        },
        None => Judged::Sound {
            proof: Some(proof),
            accepted_now,
            doubt: None,
        },
    })
}
