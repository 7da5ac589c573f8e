//! Calls are rate limited, with fair turns.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use static_aws_credentials::sts::{CachedSts, Priority, Rate, Sts};
use tokio::time::{Instant, advance, sleep};

use super::script::{always, identity, prover, question, settle, slow, spawn_request};

#[tokio::test(start_paused = true)]
async fn calls_keep_to_the_rate() {
    let script = always(identity());
    let prover = prover(&script);
    let start = Instant::now();
    let asked: Vec<_> = (0..60)
        .map(|n| spawn_request(&prover, question(&format!("AKIA{n}"))))
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
        drop(spawn_request(&prover, question(&format!("AKIA{n}"))));
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
        .map(|n| spawn_request(&prover, question(&format!("AKIA{n}"))))
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
    drop(spawn_request(&prover, question("AKIAFIRST")));
    settle().await;
    let mut asked = Vec::new();
    for (namespace, count) in [("busy", 50), ("quiet", 2), ("other", 1)] {
        for n in 0..count {
            let mut question = question(&format!("AKIA{namespace}{n}"));
            question.namespace = namespace.to_owned();
            asked.push(spawn_request(&prover, question));
            settle().await;
        }
    }
    assert_eq!(prover.waiting(), 53);
    sleep(Duration::from_millis(6500)).await;
    let turns = ["orders", "busy", "quiet", "other", "busy", "quiet", "busy"];
    assert_eq!(script.namespaces(), turns);
}

#[tokio::test(start_paused = true)]
async fn new_pairs_go_before_interval_proofs() {
    let script = always(identity());
    let prover = slow(&script);
    drop(spawn_request(&prover, question("AKIAFIRST")));
    settle().await;
    let mut proofs = Vec::new();
    for n in 0..3 {
        let mut proof = question(&format!("AKIAPROOF{n}"));
        proof.priority = Priority::IntervalProof;
        proofs.push(spawn_request(&prover, proof));
    }
    settle().await;
    let new = spawn_request(&prover, question("AKIANEW"));
    new.await.expect("a reply");
    let ids: Vec<_> = script.calls().into_iter().map(|call| call.id).collect();
    assert_eq!(ids, ["AKIAFIRST", "AKIANEW"]);
}

/// If requests shared a place in the queue like they share a call, the new pair would wait with the interval proofs.
#[tokio::test(start_paused = true)]
async fn a_new_pair_is_not_held_up_by_an_interval_proof_of_the_same_pair() {
    let script = always(identity());
    let prover = slow(&script);
    drop(spawn_request(&prover, question("AKIAFIRST")));
    settle().await;
    let mut proofs = Vec::new();
    for n in 0..20 {
        let mut proof = question(&format!("AKIAPROOF{n}"));
        proof.priority = Priority::IntervalProof;
        proofs.push(spawn_request(&prover, proof));
        settle().await;
    }
    let mut burst = Vec::new();
    for n in 0..20 {
        let mut other = question(&format!("AKIABURST{n}"));
        other.namespace = "burst".to_owned();
        burst.push(spawn_request(&prover, other));
        settle().await;
    }
    let shared = "AKIAPROOF19";
    let mut of_burst = question(shared);
    of_burst.namespace = "burst".to_owned();
    let of_burst = spawn_request(&prover, of_burst);
    settle().await;
    let new = spawn_request(&prover, question(shared));
    new.await.expect("a reply");
    assert_eq!(
        script.count(),
        3,
        "its own turn came after one of the burst"
    );
    settle().await;
    assert!(
        of_burst.is_finished() && proofs[19].is_finished(),
        "and the call was for all three"
    );
    assert_eq!(prover.waiting(), 38);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_costs_no_call() {
    let script = always(identity());
    let prover = slow(&script);
    drop(spawn_request(&prover, question("AKIAFIRST")));
    settle().await;
    let asked: Vec<_> = (0..100)
        .map(|n| spawn_request(&prover, question(&format!("AKIA{n}"))))
        .collect();
    settle().await;
    assert_eq!(prover.waiting(), 100);
    for task in &asked {
        task.abort();
    }
    settle().await;
    assert_eq!(prover.waiting(), 0);
    let start = Instant::now();
    spawn_request(&prover, question("AKIALAST"))
        .await
        .expect("a reply");
    assert!(
        start.elapsed() <= Duration::from_millis(1310),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(script.count(), 2);
}

/// A turn for a pair that another request is already calling about goes to another pair.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_needed_goes_back() {
    let script = always(identity());
    let rate = Rate {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::new(10).expect("not zero"),
    };
    let prover = Arc::new(CachedSts::new(script.clone(), rate).expect("randomness"));
    let ask_all = |ids: &[&str]| {
        for id in ids {
            drop(spawn_request(&prover, question(id)));
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

/// A source whose ID changes all the time asks about a new pair each time.
#[tokio::test(start_paused = true)]
async fn a_flood_of_new_pairs_leaves_a_quarter_of_the_turns_to_interval_proofs() {
    let script = always(identity());
    let prover = slow(&script);
    drop(spawn_request(&prover, question("AKIAFIRST")));
    settle().await;
    let mut flood = Vec::new();
    for n in 0..100 {
        let mut new = question(&format!("AKIAFLOOD{n}"));
        new.namespace = "flood".to_owned();
        flood.push(spawn_request(&prover, new));
    }
    settle().await;
    let mut proof = question("AKIAPROOF");
    proof.priority = Priority::IntervalProof;
    let began = Instant::now();
    prover.get_caller_identity(proof).await;
    assert!(
        began.elapsed() <= Duration::from_millis(4300),
        "{:?}",
        began.elapsed()
    );
}
