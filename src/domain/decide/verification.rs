//! What is known of the source's pair, and which request is needed to know more.

use std::time::Duration;

use super::{
    DueState, Inputs, Proof, Query, Read, Source, SourcePair, constraints, newcomer,
    outcome::{Verification, VerificationStep, check_constraints, undetermined},
    proof, rejection, rejection_window,
};
use crate::{
    api::{ConditionType, Identity, Reason},
    domain::{
        account,
        region::{Partition, Region},
        verdict::{Answer, Finding, words},
    },
};

/// Judges the source's pair.
pub(super) fn verify(world: &Inputs<'_>, source: &Source) -> VerificationStep {
    let found = match source {
        Source::Absent => return VerificationStep::Known(Verification::SourceMissing),
        Source::Found(found) => found,
    };
    let pair = match &found.pair {
        Ok(pair) => pair,
        Err(finding) => {
            let finding = finding.clone();
            return VerificationStep::Known(Verification::Invalid {
                finding,
                published: false,
            });
        }
    };
    if let Some(finding) = constraints::offline_violation(world, pair) {
        let published = proof::is_published(world, pair);
        return VerificationStep::Known(Verification::Invalid { finding, published });
    }
    match (&world.resource.region, world.resource.verifies_with_sts()) {
        (Some(region), true) => by_identity(world, pair, region),
        _ => VerificationStep::Known(Verification::Verified {
            proof: None,
            accepted_now: false,
            doubt: None,
        }),
    }
}

fn by_identity(world: &Inputs<'_>, pair: &SourcePair, region: &Region) -> VerificationStep {
    if let Some(name) = proof::unread(world, pair) {
        return VerificationStep::Read(Read::Target(name));
    }
    let known = match proof::proof(world, pair, region) {
        proof::Known::Unread(name) => return VerificationStep::Read(Read::Target(name)),
        proof::Known::No => None,
        proof::Known::Proven(proof) => Some(proof),
    };
    if let Some(answer) = world.answer(region.as_str()) {
        return evaluate(world, pair, region, known, answer);
    }
    match known {
        Some(proof) if !must_ask(world, &proof, region) => {
            let published = proof::is_published(world, pair);
            VerificationStep::Known(check_constraints(world, proof, false, published))
        }
        Some(_) => VerificationStep::Ask(Query {
            region: region.clone(),
            new_pair: false,
            max_age: max_age(world, pair),
        }),
        None if settles_meanwhile(world, pair) => VerificationStep::Known(Verification::Pending {
            finding: words::settling(region.as_str()),
            published: proof::is_published(world, pair),
        }),
        None if newcomer::waits(world).is_some() => {
            VerificationStep::Known(Verification::Pending {
                finding: words::refused_before(region.as_str()),
                published: false,
            })
        }
        None => VerificationStep::Ask(Query {
            region: region.clone(),
            // A published pair whose target is gone or was edited waits for a write, as a new pair does. The
            // scheduled check of a rejected pair must not go before requests that people wait for.
            new_pair: !(proof::is_published(world, pair) && world.is_intact()
                || world.due == DueState::Now && rejection_window::was_refused(world)),
            max_age: max_age(world, pair),
        }),
    }
}

/// Whether AWS rejected this very pair a moment ago and the next request is scheduled. A source that is
/// touched again and again must not cause more requests.
fn settles_meanwhile(world: &Inputs<'_>, pair: &SourcePair) -> bool {
    world.due == DueState::Later
        && world.memory.settling == Some(pair.fingerprint)
        && world.knows_spec()
}

/// Whether AWS must be asked about a proven pair again now.
fn must_ask(world: &Inputs<'_>, proof: &Proof, region: &Region) -> bool {
    let spec_changed = !world.knows_spec();
    let elsewhere = match &proof.region {
        Some(asked) => asked != region.as_str(),
        None => spec_changed,
    };
    let doubted = world
        .reason_before(ConditionType::Verified)
        .is_some_and(Reason::is_undetermined);
    world.due == DueState::Now || elsewhere || doubted
}

/// How old a cached answer may be. An answer that lifts a rejection must be younger than the rejection, and
/// a person who touched a rejected source wants a new answer.
fn max_age(world: &Inputs<'_>, pair: &SourcePair) -> Duration {
    // An identity that STS cannot have returned is cached like any other: do not use the cache.
    if world.reason_before(ConditionType::Verified) == Some(Reason::StsUnexpectedResponse) {
        return Duration::ZERO;
    }
    let age = if proof::is_published(world, pair) {
        world.resource.checks.interval / 2
    } else {
        world.resource.checks.interval
    };
    match rejection_window::refused_for(world, pair) {
        Some(refused_for)
            if rejection_window::is_confirmed(refused_for) && world.due != DueState::Now =>
        {
            Duration::ZERO
        }
        Some(refused_for) => refused_for.min(age),
        None => age,
    }
}

fn evaluate(
    world: &Inputs<'_>,
    pair: &SourcePair,
    region: &Region,
    known: Option<Proof>,
    answer: &Answer,
) -> VerificationStep {
    let published = proof::is_published(world, pair);
    match answer {
        Answer::Identity(identity) => {
            if let Some(finding) = no_identity(world, pair, region, identity) {
                return VerificationStep::Known(undetermined(world, finding, known, published));
            }
            let proof = Proof {
                fingerprint: pair.fingerprint,
                region: Some(region.as_str().to_owned()),
                identity: identity.clone(),
            };
            VerificationStep::Known(check_constraints(world, proof, true, published))
        }
        Answer::Undetermined(reason) | Answer::Outage(reason) => {
            let finding = words::undetermined(*reason, region.as_str(), world.proxied);
            VerificationStep::Known(undetermined(world, finding, known, published))
        }
        Answer::UnknownKey | Answer::SignatureMismatch | Answer::Expired => {
            rejection::evaluate(world, pair, region, known, answer)
        }
    }
}

/// Why STS cannot have returned this identity for the pair: wrong partition, or not the account that the access
/// key ID encodes. Other stores encode no account, and whether other partitions do is not known.
fn no_identity(
    world: &Inputs<'_>,
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
    let encoded = account::account_id_from_key_id(pair.pair.access_key_id.expose_secret())?;
    let named = &identity.account_id;
    (encoded != *named).then(|| words::other_account(named, &encoded, region.as_str()))
}
