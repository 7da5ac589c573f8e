//! When the breaker opens and closes.

use super::*;
use crate::domain::{
    fingerprint::FingerprintKey,
    pair::{KeyPair, SecretText},
};

const SECOND: Duration = Duration::from_secs(1);
const OUTAGE: Answer = Answer::Outage(Reason::StsUnreachable);

fn pairs() -> Result<[Fingerprint; 2], getrandom::Error> {
    let key = FingerprintKey::random()?;
    let pair = KeyPair {
        access_key_id: SecretText::new(String::new()),
        secret_access_key: SecretText::new(String::new()),
    };
    Ok([key.of(&pair, &["one"]), key.of(&pair, &["other"])])
}

#[test]
fn failures_of_two_pairs_in_a_row_open_it_and_any_answer_closes_it() -> Result<(), getrandom::Error>
{
    let [one, other] = pairs()?;
    for answer in [
        Answer::UnknownKey,
        Answer::Undetermined(Reason::StsThrottled),
        Answer::Undetermined(Reason::RegionDisabled),
        Answer::Undetermined(Reason::StsAccessDenied),
    ] {
        let now = Instant::now();
        let breaker = Breaker::new(now);
        breaker.record(one, now, &OUTAGE, now);
        breaker.record(one, now, &answer, now);
        breaker.record(other, now, &OUTAGE, now);
        assert_eq!(breaker.outage(), None);
        breaker.record(one, now, &OUTAGE, now);
        assert_eq!(breaker.outage(), Some(Reason::StsUnreachable));
        breaker.record(one, now, &answer, now);
        assert_eq!(breaker.outage(), None, "{answer:?}");
    }
    Ok(())
}

/// A proxy that answers all requests with its own page is an outage as well.
#[test]
fn pages_of_a_proxy_open_it() -> Result<(), getrandom::Error> {
    let [one, other] = pairs()?;
    let now = Instant::now();
    let breaker = Breaker::new(now);
    let page = Answer::Outage(Reason::StsAccessDenied);
    breaker.record(one, now, &page, now);
    breaker.record(other, now, &page, now);
    assert_eq!(breaker.outage(), Some(Reason::StsAccessDenied));
    Ok(())
}

#[test]
fn failures_of_one_pair_open_it_after_some_more() -> Result<(), getrandom::Error> {
    let [one, _] = pairs()?;
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 1..MAX_FAILURES_OF_ONE_PAIR {
        breaker.record(one, now, &OUTAGE, now);
        assert_eq!(breaker.outage(), None);
    }
    breaker.record(one, now, &OUTAGE, now);
    assert!(breaker.outage().is_some());
    Ok(())
}

#[test]
fn a_call_from_before_the_last_answer_does_not_open_it_again() -> Result<(), getrandom::Error> {
    let [one, other] = pairs()?;
    let now = Instant::now();
    let breaker = Breaker::new(now);
    breaker.record(one, now + SECOND, &Answer::UnknownKey, now + 2 * SECOND);
    for pair in [one, other, one, other] {
        breaker.record(pair, now, &OUTAGE, now + 9 * SECOND);
    }
    assert_eq!(breaker.outage(), None);
    breaker.record(one, now + 3 * SECOND, &OUTAGE, now + 9 * SECOND);
    breaker.record(other, now + 3 * SECOND, &OUTAGE, now + 9 * SECOND);
    assert!(breaker.outage().is_some());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn endpoints_without_waiting_requests_are_removed() -> Result<(), getrandom::Error> {
    let [one, other] = pairs()?;
    let breakers = Breakers::default();
    let open = |endpoint: &str| {
        let observer = breakers.observe(endpoint);
        for pair in [one, other] {
            observer.breaker.end(pair, Instant::now(), &OUTAGE);
        }
        observer
    };
    for number in 0..5 {
        drop(open(&number.to_string()));
    }
    let held = open("held");
    let count = lock(&breakers.breakers).len();
    assert_eq!((count, breakers.held()), (6, 1));
    tokio::time::advance(IDLE_TTL).await;
    drop(breakers.observe("works"));
    assert_eq!(lock(&breakers.breakers).len(), 2);
    assert_eq!(breakers.outage("held"), Some(Reason::StsUnreachable));
    drop(held);
    drop(breakers.observe("too"));
    assert_eq!(lock(&breakers.breakers).len(), 1);
    Ok(())
}
