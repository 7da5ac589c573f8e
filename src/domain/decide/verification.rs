//! What is known of the source's pair, and which request is needed to know more.

use std::time::Duration;

use super::{
    DueState, FoundSource, Next, Proof, Query, Read, Source, SourcePair, Step, awaited, checks,
    outcome::Verification, proof::Known, rejection, rejection_window, situation::Situation,
};
use crate::{
    api::{Identity, Reason},
    domain::{
        account,
        region::{Partition, Region},
        verdict::{Answer, Finding, words},
    },
};

/// The checks that need no request: the source's pair, or the first violation.
fn offline<'a>(
    situation: &Situation<'_>,
    found: &'a FoundSource,
) -> Result<&'a SourcePair, Finding> {
    let pair = found.pair.as_ref().map_err(Finding::clone)?;
    match checks::of_pair(situation.resource, pair) {
        Some(finding) => Err(finding),
        None => Ok(pair),
    }
}

/// Verifies the source. While the answer of AWS is outstanding, the flag is true, and the verification is what is
/// known without the answer.
pub(super) fn verify(situation: &Situation<'_>, source: &Source) -> Next<(Verification, bool)> {
    let Source::Found(found) = source else {
        return Ok((Verification::SourceMissing, false));
    };
    let pair = match offline(situation, found) {
        Ok(pair) => pair,
        Err(finding) => return Ok((Verification::Invalid(finding), false)),
    };
    match (by_level(situation, pair), situation.awaited) {
        (Err(Step::Ask(query)), Some(awaited)) => {
            awaited::meanwhile(situation, &query.region, awaited).map(|known| (known, true))
        }
        (verification, _) => verification.map(|known| (known, false)),
    }
}

/// Verifies a pair that passed the offline checks.
fn by_level(situation: &Situation<'_>, pair: &SourcePair) -> Next<Verification> {
    let resource = situation.resource;
    match (&resource.region, resource.verifies_with_sts()) {
        (Some(region), true) => by_identity(situation, pair, region),
        _ => Ok(Verification::Verified {
            proof: None,
            accepted_now: false,
            doubt: None,
        }),
    }
}

fn by_identity(
    situation: &Situation<'_>,
    pair: &SourcePair,
    region: &Region,
) -> Next<Verification> {
    let known = match &situation.proof {
        Known::Unread(name) => return Err(Step::Read(Read::Target(name.clone()))),
        known => known.proof(),
    };
    if let Some(answer) = situation.answer(region.as_str()) {
        return evaluate(situation, pair, region, answer);
    }
    let is_published = situation.is_published;
    let new_pair = match known {
        Some(proof) if !must_ask(situation, proof, region) => {
            return Ok(Verification::of_proof(situation, proof.clone(), false));
        }
        Some(_) => false,
        None if settles_meanwhile(situation, pair) => {
            let finding = words::settling(region.as_str());
            return Ok(Verification::Pending(finding));
        }
        None if situation.first_request_wait.is_some() => {
            let finding = words::refused_before(region.as_str());
            return Ok(Verification::Pending(finding));
        }
        // A published pair whose target is gone or was edited waits for a write, as a new pair does. The
        // scheduled check of a rejected pair must not go before requests that people wait for.
        None => {
            let is_intact = is_published && situation.is_intact();
            let is_scheduled = situation.due == DueState::Now && situation.earlier.was_refused();
            !(is_intact || is_scheduled)
        }
    };
    Err(Step::Ask(Query {
        region: region.clone(),
        new_pair,
        max_age: max_age(situation),
    }))
}

/// Whether AWS rejected this very pair a moment ago and the next request is scheduled. A source that is
/// touched again and again must not cause more requests.
fn settles_meanwhile(situation: &Situation<'_>, pair: &SourcePair) -> bool {
    situation.due == DueState::Later
        && situation.memory.settling == Some(pair.fingerprint)
        && situation.knows_spec()
}

/// Whether AWS must be asked about a proven pair again now.
fn must_ask(situation: &Situation<'_>, proof: &Proof, region: &Region) -> bool {
    let elsewhere = match &proof.region {
        Some(asked) => asked != region.as_str(),
        None => !situation.knows_spec(),
    };
    situation.due == DueState::Now || elsewhere || situation.earlier.doubt().is_some()
}

/// How old a cached answer may be. An answer that lifts a rejection must be younger than the rejection, and
/// a person who touched a rejected source wants a new answer.
fn max_age(situation: &Situation<'_>) -> Duration {
    // An identity that STS cannot have returned is cached like any other: do not use the cache.
    if situation.earlier.got_unexpected_response() {
        return Duration::ZERO;
    }
    let interval = situation.resource.checks.interval;
    let age = if situation.is_published {
        interval / 2
    } else {
        interval
    };
    match situation.rejected_for {
        Some(rejected_for)
            if rejection_window::is_confirmed(rejected_for) && situation.due != DueState::Now =>
        {
            Duration::ZERO
        }
        Some(rejected_for) => rejected_for.min(age),
        None => age,
    }
}

fn evaluate(
    situation: &Situation<'_>,
    pair: &SourcePair,
    region: &Region,
    answer: &Answer,
) -> Next<Verification> {
    Ok(match answer {
        Answer::Identity(identity) => {
            if let Some(finding) = no_identity(situation, pair, region, identity) {
                return Ok(Verification::undetermined(situation, finding));
            }
            let proof = Proof {
                fingerprint: pair.fingerprint,
                region: Some(region.as_str().to_owned()),
                identity: identity.clone(),
            };
            Verification::of_proof(situation, proof, true)
        }
        Answer::Undetermined(reason) | Answer::Outage(reason) => {
            let finding = words::undetermined(*reason, region.as_str(), situation.proxied);
            Verification::undetermined(situation, finding)
        }
        Answer::UnknownKey | Answer::SignatureMismatch | Answer::Expired => {
            return rejection::evaluate(situation, pair, region, answer);
        }
    })
}

/// Why STS cannot have returned this identity for the pair: wrong partition, or not the account that the access
/// key ID encodes. Other stores encode no account, and whether other partitions do is not known.
fn no_identity(
    situation: &Situation<'_>,
    pair: &SourcePair,
    region: &Region,
    identity: &Identity,
) -> Option<Finding> {
    if Partition::of_arn(&identity.arn) != Some(region.partition()) {
        let reason = Reason::StsUnexpectedResponse;
        let finding = words::undetermined(reason, region.as_str(), situation.proxied);
        return Some(finding);
    }
    if situation.endpoint_replaced || region.partition() != Partition::Aws {
        return None;
    }
    let encoded = account::account_id_from_key_id(pair.pair.access_key_id.expose_secret())?;
    let named = &identity.account_id;
    (encoded != *named).then(|| words::other_account(named, &encoded, region.as_str()))
}
