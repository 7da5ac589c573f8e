//! The limit of permits, and the order in which waiters get them.

use std::{sync::Arc, time::Duration};

use crate::sts::fair::{Entrant, FairSemaphore, Load, Permit};
use futures::FutureExt;
use tokio::{
    task::{JoinHandle, yield_now},
    time::Instant,
};

/// Starts a task that asks for a permit, and returns once it waits or has the permit.
async fn waiter(gate: &FairSemaphore, namespace: &'static str) -> JoinHandle<Permit> {
    let gate = gate.clone();
    let waiting = gate.waiting();
    let task = tokio::spawn({
        let gate = gate.clone();
        async move { gate.acquire(namespace).await }
    });
    while gate.waiting() == waiting && !task.is_finished() {
        yield_now().await;
    }
    task
}

#[tokio::test]
async fn the_gate_admits_so_many_and_the_rest_in_turn() {
    let gate = FairSemaphore::new(2);
    let (first, second) = (gate.acquire("a").await, gate.acquire("a").await);
    let (a1, a2, b) = (
        waiter(&gate, "a").await,
        waiter(&gate, "a").await,
        waiter(&gate, "b").await,
    );
    assert_eq!(gate.waiting(), 3);
    drop(first);
    let a1 = a1.await.expect("admitted");
    drop(second);
    let b = b.await.expect("admitted before the second of a");
    assert!(!a2.is_finished());
    drop(a1);
    let a2 = a2.await.expect("admitted");
    drop((a2, b));
    let _both = (gate.acquire("a").await, gate.acquire("a").await);
    let third = waiter(&gate, "a").await;
    assert_eq!(gate.waiting(), 1, "two permits came back, not three");
    third.abort();
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_the_queue() {
    let gate = FairSemaphore::new(1);
    let inside = gate.acquire("a").await;
    let (gone, stays) = (waiter(&gate, "a").await, waiter(&gate, "a").await);
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    assert_eq!(gate.waiting(), 1);
    drop(inside);
    drop(stays.await.expect("admitted"));
}

/// On this runtime a woken task runs only when the test awaits, so the permit is in transit.
#[tokio::test]
async fn a_permit_on_its_way_to_one_who_leaves_goes_on_to_the_next() {
    let gate = FairSemaphore::new(1);
    let inside = gate.acquire("a").await;
    let (gone, too, next) = (
        waiter(&gate, "a").await,
        waiter(&gate, "b").await,
        waiter(&gate, "c").await,
    );
    drop(inside);
    assert_eq!(gate.waiting(), 2, "the permit was sent");
    gone.abort();
    too.abort();
    drop(next.await.expect("admitted"));
    drop(gate.acquire("a").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_permit_is_lost_or_made_in_a_crowd_that_comes_and_goes() {
    let gate = FairSemaphore::new(3);
    let inside = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..2_000u64).map(|number| {
        let (gate, inside) = (gate.clone(), inside.clone());
        tokio::spawn(async move {
            use std::sync::atomic::Ordering::SeqCst;
            let namespace = (number % 7).to_string();
            let visit = async {
                let _permit = gate.acquire(&namespace).await;
                assert!(inside.fetch_add(1, SeqCst) < 3, "too many inside");
                yield_now().await;
                inside.fetch_sub(1, SeqCst);
            };
            if number % 3 == 0 {
                // Gives up while it waits or gets the permit, but never later.
                let enter = gate.acquire(&namespace);
                drop(tokio::time::timeout(Duration::from_micros(number % 50), enter).await);
            } else {
                visit.await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no assertion failed");
    }
    assert_eq!(gate.waiting(), 0);
    let all = async {
        (
            gate.acquire("").await,
            gate.acquire("").await,
            gate.acquire("").await,
        )
    };
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .expect("three permits");
}

#[tokio::test]
async fn a_place_counts_for_whom_it_is_until_it_is_given_back() {
    let gate = FairSemaphore::new(8);
    let now = Instant::now();
    let (team, quiet) = (Arc::from("crowd"), Arc::from("quiet"));
    let mut crowd = Vec::new();
    for _ in 0..7 {
        assert_eq!(gate.burst_blocked_until(now), None);
        crowd.push(
            gate.acquire("crowd")
                .await
                .with_load(Load::Burst, &team, now),
        );
    }
    assert!(
        gate.burst_blocked_until(now).is_some(),
        "one place is not for it"
    );
    crowd.truncate(1);
    assert_eq!(gate.burst_blocked_until(now), None);
    let few = gate.acquire("quiet").await;
    assert_eq!(gate.burst_blocked_until(now), None, "it is nobody's yet");
    let few = few.with_load(Load::Light, &quiet, now);
    let until = gate.burst_blocked_until(now).expect("a crowd steps back");
    drop(crowd);
    assert_eq!(gate.burst_blocked_until(now), None, "it keeps one place");
    let again = few.with_load(Load::Burst, &quiet, now);
    assert_eq!(gate.burst_blocked_until(now), Some(until), "that is taken");
    drop(again);
    let _next = gate.acquire("crowd").await;
    assert_eq!(gate.burst_blocked_until(now), None, "it is nobody's yet");
}

#[tokio::test]
async fn an_entrant_that_does_other_things_in_between_keeps_its_place() {
    let gate = FairSemaphore::new(1);
    let inside = gate.acquire("a").await;
    let mut entrant = Entrant::new(&gate, "");
    assert!(entrant.enter().now_or_never().is_none());
    let mut others = Vec::new();
    for namespace in ["a", "b", "c"] {
        others.push(waiter(&gate, namespace).await);
        assert!(entrant.enter().now_or_never().is_none());
    }
    assert_eq!(gate.waiting(), 4);
    drop(inside);
    let permit = entrant.enter().now_or_never();
    assert!(permit.is_some(), "it has lost its place");
}

#[tokio::test]
async fn an_entrant_that_leaves_hands_its_permit_on() {
    let gate = FairSemaphore::new(1);
    let inside = gate.acquire("a").await;
    let mut entrant = Entrant::new(&gate, "");
    assert!(entrant.enter().now_or_never().is_none());
    let other = waiter(&gate, "a").await;
    drop(inside);
    assert!(!other.is_finished());
    entrant.leave();
    drop(other.await.expect("admitted"));
    assert!(entrant.enter().now_or_never().is_some());
}
