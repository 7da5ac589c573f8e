//! Which requests are sent, in which order, and what follows from the answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{collections::VecDeque, sync::Arc};

use super::{Outcome::*, *};
use crate::{
    api::Reason::*,
    domain::{lock::lock, pair::SecretText},
};

const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "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";
const ACCEPTS_ANYTHING: Answer = Answer::Undetermined(EndpointAcceptsAnything);

/// The pair of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A random pair.
    Random,
    /// A random pair in hexadecimal digits.
    Hexadecimal,
    /// The pair of the test.
    Pair,
    /// The ID of the pair with another secret.
    WrongSecret,
}

use Asked::{Hexadecimal, Pair, Random, WrongSecret};

/// A store with given outcomes, 1 s for each answer. The last outcome repeats.
#[derive(Default)]
struct Script {
    outcomes: std::sync::Mutex<VecDeque<Outcome>>,
    asked: std::sync::Mutex<Vec<(Asked, String, String)>>,
}

impl Ask for Arc<Script> {
    async fn ask(&self, pair: &KeyPair) -> Outcome {
        let id = pair.access_key_id.expose_secret().to_owned();
        let secret = pair.secret_access_key.expose_secret().to_owned();
        let asked = match (id.as_str(), secret.as_str()) {
            (ID, SECRET) => Pair,
            (ID, _) => WrongSecret,
            (id, _) if id.len() == 32 => Hexadecimal,
            _ => Random,
        };
        lock(&self.asked).push((asked, id, secret));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut outcomes = lock(&self.outcomes);
        match outcomes.len() {
            1 => outcomes.front().copied().unwrap(),
            _ => outcomes.pop_front().unwrap(),
        }
    }
}

fn store(outcomes: &[Outcome]) -> (Arc<Prover<Arc<Script>>>, Arc<Script>) {
    let script = Arc::new(Script::default());
    lock(&script.outcomes).extend(outcomes);
    (Arc::new(Prover::new(Arc::clone(&script))), script)
}

impl Script {
    fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).iter().map(|(asked, ..)| *asked).collect()
    }

    fn then(&self, outcomes: &[Outcome]) {
        let mut waiting = lock(&self.outcomes);
        waiting.clear();
        waiting.extend(outcomes);
        lock(&self.asked).clear();
    }
}

fn pair() -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(ID.to_owned()),
        secret_access_key: SecretText::new(SECRET.to_owned()),
    }
}

async fn later(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn a_random_pair_comes_first_and_counts_for_an_hour() {
    for refusal in [UnknownKey, WrongSignature, AccessDenied] {
        let (prover, script) = store(&[refusal, Success]);
        assert_eq!(prover.answer(&pair()).await, Answer::Authenticated);
        assert_eq!(script.asked(), [Random, Pair]);
        assert_eq!(prover.answer(&pair()).await, Answer::Authenticated);
        assert_eq!(prover.authentication().await, Authentication::Authenticates);
        assert_eq!(script.asked(), [Random, Pair, Pair]);

        later(CONTROL_TTL).await;
        assert_eq!(prover.answer(&pair()).await, ACCEPTS_ANYTHING);
        assert_eq!(script.asked(), [Random, Pair, Pair, Random]);
    }
}

#[tokio::test(start_paused = true)]
async fn random_pairs_differ_each_time() {
    let (prover, script) = store(&[Unavailable]);
    for _ in 0..2 {
        prover.authentication().await;
    }
    let asked = lock(&script.asked);
    let [(_, one, secret), (_, other, another)] = asked.as_slice() else {
        panic!("{} requests", asked.len());
    };
    assert!(one != other && secret != another);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_accepts_anything_proves_no_pair_until_it_refuses() {
    let (prover, script) = store(&[Success]);
    assert_eq!(prover.answer(&pair()).await, ACCEPTS_ANYTHING);
    assert_eq!(prover.answer(&pair()).await, ACCEPTS_ANYTHING);
    assert_eq!(
        prover.authentication().await,
        Authentication::AcceptsAnything
    );
    assert_eq!(script.asked(), [Random]);

    script.then(&[UnknownKey]);
    later(ACCEPTANCE_TTL).await;
    assert_eq!(prover.answer(&pair()).await, Answer::UnknownKey);
    assert_eq!(script.asked(), [Random, Pair]);
}

#[tokio::test(start_paused = true)]
async fn without_a_control_no_pair_is_sent_and_nothing_is_remembered() {
    let table = [
        (Unreachable, Answer::Outage(EndpointUnreachable)),
        (Unavailable, Answer::Outage(EndpointUnavailable)),
        (Foreign, Answer::Outage(EndpointUnexpectedResponse)),
        (Unexpected, Answer::Undetermined(EndpointUnexpectedResponse)),
        (Throttled, Answer::Undetermined(EndpointThrottled)),
        (Outcome::ClockSkew, Answer::Undetermined(Reason::ClockSkew)),
        (Region, Answer::Undetermined(EndpointRegionMismatch)),
    ];
    for (outcome, answer) in table {
        let (prover, script) = store(&[outcome]);
        let reason = answer.undetermined().unwrap();
        assert_eq!(prover.answer(&pair()).await, answer);
        assert_eq!(
            prover.authentication().await,
            Authentication::Unknown(reason)
        );
        assert_eq!(script.asked(), [Random, Random]);
        script.then(&[UnknownKey, Success]);
        assert_eq!(prover.answer(&pair()).await, Answer::Authenticated);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_requires_another_form_gets_a_random_pair_of_that_form() {
    let (prover, script) = store(&[KeyForm, UnknownKey, WrongSignature]);
    assert_eq!(prover.answer(&pair()).await, Answer::SignatureMismatch);
    assert_eq!(script.asked(), [Random, Hexadecimal, Pair]);

    let (prover, script) = store(&[KeyForm]);
    let unknown = Authentication::Unknown(EndpointUnexpectedResponse);
    assert_eq!(prover.authentication().await, unknown);
    assert_eq!(script.asked(), [Random, Hexadecimal]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_share_one_control_and_its_failure() {
    for (outcome, answer, requests) in [
        (Unreachable, Answer::Outage(EndpointUnreachable), 1),
        (UnknownKey, Answer::UnknownKey, 6),
        (Success, ACCEPTS_ANYTHING, 1),
    ] {
        let (prover, script) = store(&[outcome]);
        let callers = (0..5).map(|_| {
            let prover = Arc::clone(&prover);
            tokio::spawn(async move { prover.answer(&pair()).await })
        });
        for caller in callers.collect::<Vec<_>>() {
            assert_eq!(caller.await.unwrap(), answer);
        }
        assert_eq!(script.asked().len(), requests, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_whose_caller_goes_is_asked_by_the_next() {
    let (prover, script) = store(&[UnknownKey, Success]);
    let first = tokio::spawn({
        let prover = Arc::clone(&prover);
        async move { prover.answer(&pair()).await }
    });
    later(Duration::from_millis(500)).await;
    first.abort();
    assert_eq!(prover.answer(&pair()).await, Answer::Authenticated);
    assert_eq!(script.asked(), [Random, Random, Pair]);
}

#[tokio::test(start_paused = true)]
async fn a_denied_pair_is_proven_by_another_answer_to_a_wrong_secret() {
    for refusal in [WrongSignature, UnknownKey] {
        let (prover, script) = store(&[UnknownKey, AccessDenied, refusal, AccessDenied]);
        assert_eq!(prover.answer(&pair()).await, Answer::Authenticated);
        assert_eq!(script.asked(), [Random, Pair, WrongSecret, Pair]);
    }
}

/// What a store finds out about one ID is no fact about the next.
#[tokio::test(start_paused = true)]
async fn each_denial_has_its_own_follow_up() {
    let (prover, script) = store(&[
        UnknownKey,
        AccessDenied,
        WrongSignature,
        AccessDenied,
        AccessDenied,
        AccessDenied,
    ]);
    assert_eq!(prover.answer(&pair()).await, Answer::Authenticated);
    let inconclusive = Answer::Undetermined(EndpointInconclusive);
    assert_eq!(prover.answer(&pair()).await, inconclusive);
    assert_eq!(
        script.asked(),
        [Random, Pair, WrongSecret, Pair, Pair, WrongSecret]
    );
}

#[tokio::test(start_paused = true)]
async fn a_follow_up_without_another_refusal_proves_nothing() {
    let table = [
        (AccessDenied, Answer::Undetermined(EndpointInconclusive)),
        (Success, ACCEPTS_ANYTHING),
        (Throttled, Answer::Undetermined(EndpointThrottled)),
        (Unavailable, Answer::Outage(EndpointUnavailable)),
        (Unreachable, Answer::Outage(EndpointUnreachable)),
        (Outcome::ClockSkew, Answer::Undetermined(Reason::ClockSkew)),
        (Foreign, Answer::Outage(EndpointUnexpectedResponse)),
    ];
    for (follow_up, answer) in table {
        let (prover, script) = store(&[UnknownKey, AccessDenied, follow_up]);
        assert_eq!(prover.answer(&pair()).await, answer);
        assert_eq!(script.asked(), [Random, Pair, WrongSecret]);
    }
}

/// A store that starts can deny everything, a moment before its answers count.
#[tokio::test(start_paused = true)]
async fn a_denial_that_ends_between_pair_and_follow_up_proves_nothing() {
    let table = [
        (WrongSignature, Answer::SignatureMismatch),
        (UnknownKey, Answer::UnknownKey),
        (Unavailable, Answer::Outage(EndpointUnavailable)),
        (Success, Answer::Authenticated),
    ];
    for (again, answer) in table {
        let (prover, script) = store(&[UnknownKey, AccessDenied, WrongSignature, again]);
        assert_eq!(prover.answer(&pair()).await, answer);
        assert_eq!(script.asked(), [Random, Pair, WrongSecret, Pair]);
    }
}
