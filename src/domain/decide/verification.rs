//! What is known of the source's pair, and which request is needed to know more.

use std::time::Duration;

use super::{
    DueState, FoundSource, Next, Proof, Query, Read, Source, SourcePair, Step, awaited, checks,
    outcome::Verification, proof::Known, rejection, situation::Situation,
};
use crate::{
    api::{Identity, Reason},
    domain::{
        account,
        place::Place,
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
    // Before the checks of the pair, some of which depend on the class.
    if let Some(Err(finding)) = &situation.resource.class {
        return Ok((Verification::Pending(finding.clone()), false));
    }
    let pair = match offline(situation, found) {
        Ok(pair) => pair,
        Err(finding) => return Ok((Verification::Invalid(finding), false)),
    };
    match (by_level(situation, pair), situation.awaited) {
        (Err(Step::Ask(query)), Some(awaited)) => {
            awaited::meanwhile(situation, &query.place, awaited).map(|known| (known, true))
        }
        (verification, _) => verification.map(|known| (known, false)),
    }
}

/// Verifies a pair that passed the offline checks.
fn by_level(situation: &Situation<'_>, pair: &SourcePair) -> Next<Verification> {
    match situation.resource.place() {
        Some(place) => in_place(situation, pair, &place),
        None => Ok(Verification::Verified {
            proof: None,
            accepted_now: false,
            doubt: None,
        }),
    }
}

fn in_place(situation: &Situation<'_>, pair: &SourcePair, place: &Place) -> Next<Verification> {
    let known = match &situation.proof {
        Known::Unread(name) => return Err(Step::Read(Read::Target(name.clone()))),
        known => known.proof(),
    };
    if let Some(answer) = situation.answer(place) {
        return evaluate(situation, pair, place, answer);
    }
    let is_published = situation.is_published;
    let new_pair = match known {
        Some(proof) if !must_ask(situation, proof, place) => {
            return Ok(Verification::of_proof(situation, proof.clone(), false));
        }
        Some(_) => false,
        None if settles_meanwhile(situation, pair) => {
            let finding = words::settling(place, situation.confirmation());
            return Ok(Verification::Pending(finding));
        }
        None if situation.first_request_wait.is_some() => {
            let finding = words::refused_before(place);
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
        place: place.clone(),
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

/// Whether a proven pair must be asked about again now. A class that has changed brings no check of a published pair
/// forward: all its resources would ask at once.
fn must_ask(situation: &Situation<'_>, proof: &Proof, place: &Place) -> bool {
    let elsewhere = match &proof.place {
        Some(asked) if situation.is_published => !place.is_generation_of(asked),
        Some(asked) => *asked != place.key(),
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
            if situation.is_confirmed(rejected_for) && situation.due != DueState::Now =>
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
    place: &Place,
    answer: &Answer,
) -> Next<Verification> {
    let proven = |identity: Option<&Identity>| {
        let proof = Proof {
            fingerprint: pair.fingerprint,
            place: Some(place.key()),
            identity: identity.cloned(),
        };
        Verification::of_proof(situation, proof, true)
    };
    let doubted = |finding| Verification::undetermined(situation, finding);
    Ok(match (place, answer) {
        (Place::Sts(region), Answer::Identity(identity)) => {
            match no_identity(situation, pair, region, identity) {
                Some(finding) => doubted(finding),
                None => proven(Some(identity)),
            }
        }
        (Place::Store(_), Answer::Authenticated) => proven(None),
        // No client gives such an answer.
        (Place::Sts(_), Answer::Authenticated) => doubted(words::undetermined(
            Reason::StsUnexpectedResponse,
            place,
            situation.proxied,
        )),
        (Place::Store(_), Answer::Identity(_)) => doubted(words::undetermined(
            Reason::EndpointUnexpectedResponse,
            place,
            situation.proxied,
        )),
        (_, Answer::Undetermined(reason) | Answer::Outage(reason)) => {
            doubted(words::undetermined(*reason, place, situation.proxied))
        }
        (_, Answer::UnknownKey | Answer::SignatureMismatch | Answer::Expired) => {
            return rejection::evaluate(situation, pair, place, answer);
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
        let place = Place::Sts(region.clone());
        return Some(words::undetermined(reason, &place, situation.proxied));
    }
    if situation.endpoint_replaced || region.partition() != Partition::Aws {
        return None;
    }
    let encoded = account::account_id_from_key_id(pair.pair.access_key_id.expose_secret())?;
    let named = &identity.account_id;
    (encoded != *named).then(|| words::other_account(named, &encoded, region.as_str()))
}
