//! One call per distinct pair, and calls in fair turns at a limited rate. What stands for STS here is
//! a script, since time stands still in these tests and a socket does not.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use static_aws_credentials::{
    api::{Identity, Reason},
    pair::{KeyPair, SecretText},
    sts::{Prover, Question, Rate, Reply, Sts, Urgency},
    verdict::Answer,
};
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, advance, sleep},
};

/// How long a call takes.
const CALL: Duration = Duration::from_millis(300);

/// Answers each call with what `answer` says of its number, and writes the calls down.
#[derive(Clone)]
struct Script {
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
    calls: Arc<Mutex<Vec<Call>>>,
}

#[derive(Clone, Debug)]
struct Call {
    id: String,
    namespace: String,
    at: Instant,
}

impl Script {
    fn new(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            calls: Arc::default(),
        }
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    fn count(&self) -> usize {
        self.calls().len()
    }

    fn namespaces(&self) -> Vec<String> {
        self.calls()
            .into_iter()
            .map(|call| call.namespace)
            .collect()
    }
}

impl Sts for Script {
    fn ask(&self, question: Question) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let number = {
                let mut calls = self.calls.lock().expect("calls");
                calls.push(Call {
                    id: question.pair.access_key_id.reveal().to_owned(),
                    namespace: question.namespace,
                    at: Instant::now(),
                });
                calls.len()
            };
            sleep(CALL).await;
            Reply {
                answer: (self.answer)(number),
                at: Instant::now(),
            }
        })
    }
}

fn identity() -> Answer {
    Answer::Identity(Identity {
        account_id: "123456789012".to_owned(),
        arn: "arn:aws:iam::123456789012:user/orders".to_owned(),
    })
}

fn always(answer: Answer) -> Script {
    Script::new(move |_| answer.clone())
}

fn question(id: &str) -> Question {
    Question {
        namespace: "orders".to_owned(),
        pair: Arc::new(KeyPair {
            access_key_id: SecretText::new(id.to_owned()),
            secret_access_key: SecretText::new("secret".to_owned()),
        }),
        region: "eu-west-1".to_owned(),
        endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(),
        urgency: Urgency::NewPair,
        not_before: Instant::now(),
    }
}

fn prover(script: &Script) -> Arc<Prover<Script>> {
    Arc::new(Prover::new(script.clone(), Rate::default()).expect("randomness"))
}

/// One call a second and one at once, so that the second who asks has to wait.
fn slow(script: &Script) -> Arc<Prover<Script>> {
    let rate = Rate {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::MIN,
    };
    Arc::new(Prover::new(script.clone(), rate).expect("randomness"))
}

fn ask(prover: &Arc<Prover<Script>>, question: Question) -> JoinHandle<Reply> {
    let prover = Arc::clone(prover);
    tokio::spawn(async move { prover.ask(question).await })
}

/// Lets every task run until it waits for time or for another.
async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_at_once_share_one_call() {
    for answer in [
        identity(),
        Answer::UnknownKey,
        Answer::Undetermined(Reason::StsUnavailable),
    ] {
        let script = always(answer.clone());
        let prover = prover(&script);
        let asked: Vec<_> = (0..100).map(|_| ask(&prover, question("AKIA1"))).collect();
        sleep(CALL / 2).await;
        let late = ask(&prover, question("AKIA1"));
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
    prover.ask(question("AKIA1")).await;
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
        prover.ask(other).await;
    }
    assert_eq!(script.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_shared_with_whoever_may_take_it_so_old() {
    for answer in [identity(), Answer::SignatureMismatch, Answer::Expired] {
        let script = always(answer.clone());
        let prover = prover(&script);
        let before = Instant::now();
        let reply = prover.ask(question("AKIA1")).await;
        assert_eq!(reply.at, before + CALL);
        advance(Duration::from_secs(86_400)).await;

        let mut again = question("AKIA1");
        again.not_before = reply.at;
        assert_eq!(
            prover.ask(again.clone()).await,
            reply,
            "the same, with its time"
        );
        assert_eq!(script.count(), 1);

        again.not_before = reply.at + Duration::from_nanos(1);
        assert!(prover.ask(again).await.at > reply.at);
        assert_eq!(script.count(), 2, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn s5_an_unknown_key_is_asked_about_again_after_a_second_and_a_half() {
    let script = Script::new(|number| {
        if number == 1 {
            Answer::UnknownKey
        } else {
            identity()
        }
    });
    let prover = prover(&script);
    let mut any = question("AKIA1");
    any.not_before = Instant::now();
    prover.ask(any.clone()).await;
    advance(Duration::from_millis(1500)).await;
    assert_eq!(prover.ask(any.clone()).await.answer, Answer::UnknownKey);
    assert_eq!(script.count(), 1);
    advance(Duration::from_millis(1)).await;
    assert_eq!(prover.ask(any.clone()).await.answer, identity());
    advance(Duration::from_secs(60)).await;
    assert_eq!(
        prover.ask(any).await.answer,
        identity(),
        "and that one stands"
    );
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_undetermined_reply_is_not_kept_and_displaces_none() {
    let outage = Answer::Undetermined(Reason::StsUnavailable);
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
    assert_eq!(prover.ask(any.clone()).await.answer, outage);
    let proven = prover.ask(any.clone()).await;
    assert_eq!(proven.answer, identity(), "asked again");
    assert_eq!(
        prover.ask(question("AKIA1")).await.answer,
        identity(),
        "obtained right now"
    );
    sleep(CALL).await;
    assert_eq!(prover.ask(question("AKIA1")).await.answer, outage);
    assert_eq!(
        prover.ask(any).await,
        proven,
        "the outage says nothing against it"
    );
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_follows_is_not_stranded_when_the_caller_leaves() {
    let script = always(identity());
    let prover = prover(&script);
    let leader = ask(&prover, question("AKIA1"));
    settle().await;
    let followers: Vec<_> = (0..5).map(|_| ask(&prover, question("AKIA1"))).collect();
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
    let leader = ask(&prover, question("AKIA1"));
    settle().await;
    let follower = ask(&prover, question("AKIA1"));
    assert!(leader.await.expect_err("it panicked").is_panic());
    assert_eq!(follower.await.expect("a reply").answer, identity());
}

#[tokio::test(start_paused = true)]
async fn calls_keep_to_the_rate() {
    let script = always(identity());
    let prover = prover(&script);
    let start = Instant::now();
    let asked: Vec<_> = (0..60)
        .map(|n| ask(&prover, question(&format!("AKIA{n}"))))
        .collect();
    settle().await;
    assert_eq!(script.count(), 10, "the burst");
    for reply in asked {
        reply.await.expect("a reply");
    }
    for (number, call) in script.calls().iter().enumerate() {
        let due =
            Duration::from_millis(200) * u32::try_from(number.saturating_sub(9)).expect("few");
        let late = (call.at - start)
            .checked_sub(due)
            .expect("not before its time");
        assert!(
            late <= Duration::from_millis(5),
            "call {number} is late by {late:?}"
        );
    }
    sleep(Duration::from_secs(1)).await;
    for n in 100..106 {
        drop(ask(&prover, question(&format!("AKIA{n}"))));
    }
    settle().await;
    let since = script.count() - 60;
    assert!(
        (5..=6).contains(&since),
        "a pause of a second is worth five calls and not {since}"
    );
}

#[tokio::test(start_paused = true)]
async fn f32_ten_thousand_at_once_stay_within_the_rate() {
    let script = always(identity());
    let prover = prover(&script);
    let start = Instant::now();
    let asked: Vec<_> = (0..10_000)
        .map(|n| ask(&prover, question(&format!("AKIA{n}"))))
        .collect();
    for reply in asked {
        reply.await.expect("a reply");
    }
    let calls = script.calls();
    assert_eq!(calls.len(), 10_000);
    for (number, call) in calls.iter().enumerate() {
        let so_far = (call.at - start).as_secs_f64() * 5.0 + 10.0;
        #[expect(clippy::cast_precision_loss, reason = "ten thousand")]
        let number = number as f64;
        assert!(
            number < so_far + 0.1,
            "call {number} came {:?} after the start",
            call.at - start
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a14_namespaces_are_served_in_turn() {
    let script = always(identity());
    let prover = slow(&script);
    drop(ask(&prover, question("AKIAFIRST")));
    settle().await;
    let mut asked = Vec::new();
    for (namespace, count) in [("crowded", 50), ("quiet", 2), ("other", 1)] {
        for n in 0..count {
            let mut question = question(&format!("AKIA{namespace}{n}"));
            question.namespace = namespace.to_owned();
            asked.push(ask(&prover, question));
            settle().await;
        }
    }
    assert_eq!(prover.waiting(), 53);
    sleep(Duration::from_millis(6500)).await;
    let turns = [
        "orders", "crowded", "quiet", "other", "crowded", "quiet", "crowded",
    ];
    assert_eq!(script.namespaces(), turns);
}

#[tokio::test(start_paused = true)]
async fn new_pairs_go_before_interval_proofs() {
    let script = always(identity());
    let prover = slow(&script);
    drop(ask(&prover, question("AKIAFIRST")));
    settle().await;
    let mut proofs = Vec::new();
    for n in 0..3 {
        let mut proof = question(&format!("AKIAPROOF{n}"));
        proof.urgency = Urgency::IntervalProof;
        proofs.push(ask(&prover, proof));
    }
    settle().await;
    let new = ask(&prover, question("AKIANEW"));
    new.await.expect("a reply");
    let ids: Vec<_> = script.calls().into_iter().map(|call| call.id).collect();
    assert_eq!(ids, ["AKIAFIRST", "AKIANEW"]);
}

/// Were the place in the queue shared as the call is, the new pair would wait with the proofs.
#[tokio::test(start_paused = true)]
async fn a_new_pair_is_not_held_up_by_an_interval_proof_of_the_same_pair() {
    let script = always(identity());
    let prover = slow(&script);
    drop(ask(&prover, question("AKIAFIRST")));
    settle().await;
    let mut proofs = Vec::new();
    for n in 0..20 {
        let mut proof = question(&format!("AKIAPROOF{n}"));
        proof.urgency = Urgency::IntervalProof;
        proofs.push(ask(&prover, proof));
        settle().await;
    }
    let mut crowd = Vec::new();
    for n in 0..20 {
        let mut other = question(&format!("AKIACROWD{n}"));
        other.namespace = "crowd".to_owned();
        crowd.push(ask(&prover, other));
        settle().await;
    }
    let shared = "AKIAPROOF19";
    let mut of_crowd = question(shared);
    of_crowd.namespace = "crowd".to_owned();
    let of_crowd = ask(&prover, of_crowd);
    settle().await;
    let new = ask(&prover, question(shared));
    new.await.expect("a reply");
    assert_eq!(
        script.count(),
        3,
        "its own turn came after one of the crowd"
    );
    settle().await;
    assert!(
        of_crowd.is_finished() && proofs[19].is_finished(),
        "and the call was for all three"
    );
    assert_eq!(prover.waiting(), 38);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_costs_no_call() {
    let script = always(identity());
    let prover = slow(&script);
    drop(ask(&prover, question("AKIAFIRST")));
    settle().await;
    let asked: Vec<_> = (0..100)
        .map(|n| ask(&prover, question(&format!("AKIA{n}"))))
        .collect();
    settle().await;
    assert_eq!(prover.waiting(), 100);
    for task in &asked {
        task.abort();
    }
    settle().await;
    assert_eq!(prover.waiting(), 0);
    let start = Instant::now();
    ask(&prover, question("AKIALAST")).await.expect("a reply");
    assert!(
        start.elapsed() <= Duration::from_millis(1310),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(script.count(), 2);
}

/// Turns that come while somebody else calls about the same pair go to other pairs.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_needed_goes_back() {
    let script = always(identity());
    let rate = Rate {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::new(10).expect("not zero"),
    };
    let prover = Arc::new(Prover::new(script.clone(), rate).expect("randomness"));
    let ask_all = |ids: &[&str]| {
        for id in ids {
            drop(ask(&prover, question(id)));
        }
    };
    ask_all(&["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"]);
    settle().await;
    ask_all(&[
        "SAME", "SAME", "SAME", "B3", "B4", "B5", "B6", "B7", "B8", "B9",
    ]);
    settle().await;
    assert_eq!((script.count(), prover.waiting()), (10, 10));
    advance(Duration::from_secs(10)).await;
    settle().await;
    assert_eq!(
        (script.count(), prover.waiting()),
        (18, 0),
        "ten tokens and eight calls"
    );
    ask_all(&["C0", "C1", "C2"]);
    settle().await;
    assert_eq!((script.count(), prover.waiting()), (20, 1), "two were left");
}

#[tokio::test(start_paused = true)]
async fn many_pairs_are_remembered_and_the_oldest_forgotten() {
    let script = always(identity());
    let fast = NonZeroU32::new(1_000_000).expect("not zero");
    let rate = Rate {
        per_second: fast,
        burst: fast,
    };
    let prover = Prover::new(script.clone(), rate).expect("randomness");
    let mut first = question("AKIAFIRST");
    first.not_before = Instant::now();
    let mut second = question("AKIASECOND");
    second.not_before = first.not_before;
    prover.ask(first.clone()).await;
    prover.ask(second.clone()).await;
    let questions = (0..19_999).map(|n| prover.ask(question(&format!("AKIA{n}"))));
    futures::future::join_all(questions).await;
    assert_eq!(script.count(), 20_001);
    prover.ask(second).await;
    assert_eq!(script.count(), 20_001, "the second is remembered");
    prover.ask(first).await;
    assert_eq!(script.count(), 20_002, "the first had to go");
}
