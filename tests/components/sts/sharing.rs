//! One call per distinct pair for any number of waiting requests, and the cached part of its reply.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use static_aws_credentials::{
    api::Reason,
    domain::{
        pair::{KeyPair, SecretText},
        verdict::Answer,
    },
    sts::{CachedSts, Rate, Sts},
};
use tokio::time::{Instant, advance, sleep};

use super::script::{CALL, Script, always, identity, prover, question, settle, spawn_request};

#[tokio::test(start_paused = true)]
async fn all_who_ask_at_once_share_one_call() {
    for answer in [
        identity(),
        Answer::UnknownKey,
        Answer::Outage(Reason::StsUnavailable),
    ] {
        let script = always(answer.clone());
        let prover = prover(&script);
        let asked: Vec<_> = (0..100)
            .map(|_| spawn_request(&prover, question("AKIA1")))
            .collect();
        sleep(CALL / 2).await;
        let late = spawn_request(&prover, question("AKIA1"));
        for reply in asked.into_iter().chain([late]) {
            assert_eq!(reply.await.expect("a reply").answer, answer);
        }
        assert_eq!(script.count(), 1, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_secret_region_or_endpoint_is_another_question() {
    let script = always(identity());
    let prover = prover(&script);
    prover.get_caller_identity(question("AKIA1")).await;
    let started = question("AKIA1").not_before - CALL;
    let mut others = [
        question("AKIA1"),
        question("AKIA1"),
        question("AKIA1"),
        question("AKIA2"),
    ];
    others[0].pair = Arc::new(KeyPair {
        access_key_id: SecretText::new("AKIA1".to_owned()),
        secret_access_key: SecretText::new("another".to_owned()),
    });
    others[1].region = "eu-west-2".to_owned();
    others[2].endpoint = "https://sts.eu-west-2.amazonaws.com".to_owned();
    for mut other in others {
        other.not_before = started;
        prover.get_caller_identity(other).await;
    }
    assert_eq!(script.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_shared_with_whoever_may_take_it_so_old() {
    let script = always(identity());
    let prover = prover(&script);
    let before = Instant::now();
    let reply = prover.get_caller_identity(question("AKIA1")).await;
    assert_eq!(reply.at, before + CALL);
    advance(Duration::from_hours(24)).await;

    let mut again = question("AKIA1");
    again.not_before = reply.at;
    assert_eq!(
        prover.get_caller_identity(again.clone()).await,
        reply,
        "the same, with its time"
    );
    assert_eq!(script.count(), 1);

    again.not_before = reply.at + Duration::from_nanos(1);
    assert!(prover.get_caller_identity(again).await.at > reply.at);
    assert_eq!(script.count(), 2);
}

/// A rejection can end without a change of the pair: a key is activated, or a proxy is repaired.
#[tokio::test(start_paused = true)]
async fn s5_a_refused_pair_is_asked_about_again_after_a_second_and_a_half() {
    for refusal in [
        Answer::UnknownKey,
        Answer::SignatureMismatch,
        Answer::Expired,
    ] {
        let first = refusal.clone();
        let script = Script::new(move |number| {
            if number == 1 {
                first.clone()
            } else {
                identity()
            }
        });
        let prover = prover(&script);
        let mut any = question("AKIA1");
        any.not_before = Instant::now();
        prover.get_caller_identity(any.clone()).await;
        advance(Duration::from_millis(1500)).await;
        assert_eq!(
            prover.get_caller_identity(any.clone()).await.answer,
            refusal
        );
        assert_eq!(script.count(), 1);
        advance(Duration::from_millis(1)).await;
        assert_eq!(
            prover.get_caller_identity(any.clone()).await.answer,
            identity()
        );
        advance(Duration::from_mins(1)).await;
        assert_eq!(
            prover.get_caller_identity(any).await.answer,
            identity(),
            "and that one stands"
        );
        assert_eq!(script.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_undetermined_reply_is_not_kept_and_displaces_none() {
    let outage = Answer::Outage(Reason::StsUnavailable);
    let script = Script::new({
        let outage = outage.clone();
        move |number| {
            if number == 2 {
                identity()
            } else {
                outage.clone()
            }
        }
    });
    let prover = prover(&script);
    let any = question("AKIA1");
    assert_eq!(prover.get_caller_identity(any.clone()).await.answer, outage);
    let accepted = prover.get_caller_identity(any.clone()).await;
    assert_eq!(accepted.answer, identity(), "asked again");
    assert_eq!(
        prover.get_caller_identity(question("AKIA1")).await.answer,
        identity(),
        "obtained right now"
    );
    sleep(CALL).await;
    assert_eq!(
        prover.get_caller_identity(question("AKIA1")).await.answer,
        outage
    );
    assert_eq!(
        prover.get_caller_identity(any).await,
        accepted,
        "the outage says nothing against it"
    );
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_follows_is_not_stranded_when_the_caller_leaves() {
    let script = always(identity());
    let prover = prover(&script);
    let leader = spawn_request(&prover, question("AKIA1"));
    settle().await;
    let followers: Vec<_> = (0..5)
        .map(|_| spawn_request(&prover, question("AKIA1")))
        .collect();
    settle().await;
    assert_eq!(script.count(), 1);
    leader.abort();
    for follower in followers {
        assert_eq!(follower.await.expect("a reply").answer, identity());
    }
    assert_eq!(script.count(), 2, "one of them called, for all");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_call_strands_nobody() {
    let script = Script::new(|number| {
        assert!(number > 1, "the first call fails");
        identity()
    });
    let prover = prover(&script);
    let leader = spawn_request(&prover, question("AKIA1"));
    settle().await;
    let follower = spawn_request(&prover, question("AKIA1"));
    assert!(leader.await.expect_err("it panicked").is_panic());
    assert_eq!(follower.await.expect("a reply").answer, identity());
}

#[tokio::test(start_paused = true)]
async fn many_pairs_are_remembered_and_the_oldest_forgotten() {
    let script = always(identity());
    let fast = NonZeroU32::new(1_000_000).expect("not zero");
    let rate = Rate {
        per_second: fast,
        burst: fast,
    };
    let prover = CachedSts::new(script.clone(), rate).expect("randomness");
    let mut first = question("AKIAFIRST");
    first.not_before = Instant::now();
    let mut second = question("AKIASECOND");
    second.not_before = first.not_before;
    prover.get_caller_identity(first.clone()).await;
    prover.get_caller_identity(second.clone()).await;
    let questions = (0..19_999).map(|n| prover.get_caller_identity(question(&format!("AKIA{n}"))));
    futures::future::join_all(questions).await;
    assert_eq!(script.count(), 20_001);
    prover.get_caller_identity(second).await;
    assert_eq!(script.count(), 20_001, "the second is remembered");
    prover.get_caller_identity(first).await;
    assert_eq!(script.count(), 20_002, "the first had to go");
}
