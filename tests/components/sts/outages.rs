//! An endpoint without answers gets one request at a time, and its first answer releases all others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use static_aws_credentials::{
    api::Reason,
    domain::verdict::Answer,
    sts::{CachedSts, CallerIdentityRequest, Priority, Sts},
};
use tokio::time::{Instant, advance, sleep};

use super::script::{CALL, Script, identity, prover, question, settle, spawn_request};

const UNREACHABLE: Answer = Answer::Outage(Reason::StsUnreachable);

/// An STS that answers while the switch is on.
fn switched(on: bool) -> (Script, Arc<AtomicBool>) {
    let works = Arc::new(AtomicBool::new(on));
    let switch = Arc::clone(&works);
    let answer = move |_| {
        if works.load(SeqCst) {
            identity()
        } else {
            UNREACHABLE
        }
    };
    (Script::new(answer), switch)
}

/// A prover whose endpoint failed to answer for two pairs.
async fn during_an_outage() -> (Script, Arc<AtomicBool>, Arc<CachedSts<Script>>) {
    let (script, works) = switched(false);
    let prover = prover(&script);
    for id in ["AKIAONE", "AKIATWO"] {
        assert_eq!(
            prover.get_caller_identity(question(id)).await.answer,
            UNREACHABLE
        );
    }
    let outage = prover.outage(&question("AKIANEW"));
    assert_eq!(outage, Some(Reason::StsUnreachable));
    (script, works, prover)
}

fn numbered(number: usize, namespace: &str) -> CallerIdentityRequest {
    let mut question = question(&format!("AKIA{number}"));
    namespace.clone_into(&mut question.namespace);
    question
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_one_question_at_a_time_is_asked() {
    let (script, _, prover) = during_an_outage().await;
    let waiting: Vec<_> = (0..1000)
        .map(|number| spawn_request(&prover, numbered(number, "orders")))
        .collect();
    sleep(Duration::from_mins(10)).await;
    let calls = script.calls();
    let gaps = calls.windows(2).skip(1).map(|two| two[1].at - two[0].at);
    let gaps: Vec<_> = gaps.collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(5)));
    assert!(
        gaps.iter().all(|gap| *gap <= Duration::from_secs(15)),
        "{gaps:?}"
    );
    assert!(waiting.iter().all(|task| !task.is_finished()));
    assert_eq!(prover.held(), 1000);
}

#[tokio::test(start_paused = true)]
async fn with_the_first_answer_all_that_waited_are_asked_at_the_rate_of_the_limiter() {
    for (waiting, within) in [(1, 6), (50, 15), (100, 25), (1000, 205)] {
        let (_, works, prover) = during_an_outage().await;
        let asked: Vec<_> = (0..waiting)
            .map(|number| spawn_request(&prover, numbered(number, "orders")))
            .collect();
        sleep(Duration::from_mins(30)).await;
        works.store(true, SeqCst);
        let returned = Instant::now();
        for reply in asked {
            assert_eq!(reply.await.expect("a reply").answer, identity());
        }
        let took = returned.elapsed();
        assert!(took <= Duration::from_secs(within), "{waiting}: {took:?}");
        assert_eq!(prover.outage(&question("AKIA1")), None);
    }
}

#[tokio::test(start_paused = true)]
async fn questions_that_wait_when_an_outage_begins_are_told_of_it_without_a_call() {
    let (script, _) = switched(false);
    let prover = prover(&script);
    let asked: Vec<_> = (0..500)
        .map(|number| spawn_request(&prover, numbered(number, "orders")))
        .collect();
    let began = Instant::now();
    for reply in asked {
        assert_eq!(reply.await.expect("a reply").answer, UNREACHABLE);
    }
    assert!(began.elapsed() <= CALL * 2, "{:?}", began.elapsed());
    assert!(script.count() <= 12, "{} calls", script.count());
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_one_endpoint_stops_no_other() {
    let (script, _, prover) = during_an_outage().await;
    let mut elsewhere = question("AKIAELSEWHERE");
    elsewhere.region = "eu-west-2".to_owned();
    elsewhere.endpoint = "https://sts.eu-west-2.amazonaws.com".to_owned();
    assert_eq!(prover.outage(&elsewhere), None);
    let calls = script.count();
    prover.get_caller_identity(elsewhere).await;
    assert_eq!(script.count(), calls + 1);
}

#[tokio::test(start_paused = true)]
async fn a_pair_at_which_sts_fails_stops_no_other_pair() {
    let (script, works) = switched(false);
    let prover = prover(&script);
    assert_eq!(
        prover.get_caller_identity(question("AKIABAD")).await.answer,
        UNREACHABLE
    );
    works.store(true, SeqCst);
    let began = Instant::now();
    assert_eq!(
        prover
            .get_caller_identity(question("AKIAGOOD"))
            .await
            .answer,
        identity()
    );
    assert_eq!(began.elapsed(), CALL);
    assert_eq!(prover.outage(&question("AKIABAD")), None);
}

#[tokio::test(start_paused = true)]
async fn resources_that_share_a_pair_share_its_few_calls_during_an_outage() {
    let (script, _) = switched(false);
    let prover = prover(&script);
    for _ in 0..4 {
        prover.get_caller_identity(question("AKIASHARED")).await;
    }
    let waiting: Vec<_> = (0..1000)
        .map(|_| spawn_request(&prover, question("AKIASHARED")))
        .collect();
    sleep(Duration::from_mins(1)).await;
    assert!(script.count() <= 4 + 12, "{} calls", script.count());
    assert!(waiting.iter().all(|task| !task.is_finished()));
}

#[tokio::test(start_paused = true)]
async fn a_request_to_slow_down_is_no_outage() {
    let script = Script::new(|_| Answer::Undetermined(Reason::StsThrottled));
    let prover = prover(&script);
    for number in 0..8 {
        prover.get_caller_identity(numbered(number, "orders")).await;
    }
    assert_eq!(prover.outage(&question("AKIA1")), None);
    assert_eq!(script.count(), 8);
}

/// A namespace with a long queue of requests to another endpoint does not hold the probe.
#[tokio::test(start_paused = true)]
async fn a_probe_that_waits_for_the_limiter_lets_the_next_namespace_probe() {
    let (script, works, prover) = during_an_outage().await;
    let flood: Vec<_> = (0..500)
        .map(|number| {
            let mut question = numbered(number, "flood");
            question.endpoint = "https://sts.eu-west-2.amazonaws.com".to_owned();
            // New pairs of another endpoint: neither the cache nor the circuit breaker answers these requests.
            question.priority = Priority::NewPair;
            question
        })
        .collect();
    works.store(true, SeqCst);
    let flood: Vec<_> = flood
        .into_iter()
        .map(|it| spawn_request(&prover, it))
        .collect();
    settle().await;
    let held = spawn_request(&prover, numbered(1, "flood"));
    settle().await;
    let began = Instant::now();
    let quiet = spawn_request(&prover, numbered(2, "quiet"));
    assert_eq!(quiet.await.expect("a reply").answer, identity());
    assert!(
        began.elapsed() <= Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    assert!(script.count() < 200);
    drop((flood, held));
    advance(CALL).await;
}
