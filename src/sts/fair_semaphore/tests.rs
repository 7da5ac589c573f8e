//! The limit of permits, and the order in which waiters get them.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use tokio::{
    sync::oneshot,
    task::{JoinHandle, yield_now},
};

use super::{FairSemaphore, Permit};
use crate::domain::lock::lock;

/// Starts a task that asks for a permit, and returns once it waits or has the permit.
async fn waiter(semaphore: &FairSemaphore, namespace: &'static str) -> JoinHandle<Permit> {
    let semaphore = semaphore.clone();
    let waiting = semaphore.waiting();
    let task = tokio::spawn({
        let semaphore = semaphore.clone();
        async move { semaphore.acquire(namespace).await }
    });
    while semaphore.waiting() == waiting && !task.is_finished() {
        yield_now().await;
    }
    task
}

#[tokio::test]
async fn the_semaphore_admits_its_limit_and_the_rest_in_turn() {
    let semaphore = FairSemaphore::new(2);
    let (first, second) = (semaphore.acquire("a").await, semaphore.acquire("a").await);
    let (a1, a2, b) = (
        waiter(&semaphore, "a").await,
        waiter(&semaphore, "a").await,
        waiter(&semaphore, "b").await,
    );
    assert_eq!(semaphore.waiting(), 3);
    drop(first);
    let a1 = a1.await.expect("admitted");
    drop(second);
    let b = b.await.expect("admitted before the second of a");
    assert!(!a2.is_finished());
    drop(a1);
    let a2 = a2.await.expect("admitted");
    drop((a2, b));
    let _both = (semaphore.acquire("a").await, semaphore.acquire("a").await);
    let third = waiter(&semaphore, "a").await;
    assert_eq!(semaphore.waiting(), 1, "two permits came back, not three");
    third.abort();
}

#[tokio::test]
async fn a_waiter_that_stops_leaves_the_queue() {
    let semaphore = FairSemaphore::new(1);
    let held = semaphore.acquire("a").await;
    let (dropped, waiting_task) = (waiter(&semaphore, "a").await, waiter(&semaphore, "a").await);
    dropped.abort();
    assert!(dropped.await.expect_err("aborted").is_cancelled());
    assert_eq!(semaphore.waiting(), 1);
    drop(held);
    drop(waiting_task.await.expect("admitted"));
}

/// On this runtime a notified task runs only when the test awaits, so the permit is in transit.
#[tokio::test]
async fn a_permit_in_transit_to_a_dropped_waiter_passes_to_the_next() {
    let semaphore = FairSemaphore::new(1);
    let held = semaphore.acquire("a").await;
    let (dropped, dropped_too, next) = (
        waiter(&semaphore, "a").await,
        waiter(&semaphore, "b").await,
        waiter(&semaphore, "c").await,
    );
    drop(held);
    assert_eq!(semaphore.waiting(), 2, "the permit was sent");
    dropped.abort();
    dropped_too.abort();
    drop(next.await.expect("admitted"));
    drop(semaphore.acquire("a").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_permit_is_lost_or_created_while_waiters_come_and_go() {
    let semaphore = FairSemaphore::new(3);
    let held = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..2_000u64).map(|number| {
        let (semaphore, held) = (semaphore.clone(), held.clone());
        tokio::spawn(async move {
            use std::sync::atomic::Ordering::SeqCst;
            let namespace = (number % 7).to_string();
            let visit = async {
                let _permit = semaphore.acquire(&namespace).await;
                assert!(held.fetch_add(1, SeqCst) < 3, "more permits than the limit");
                yield_now().await;
                held.fetch_sub(1, SeqCst);
            };
            if number % 3 == 0 {
                // Gives up while it waits or gets the permit, but never later.
                let acquire = semaphore.acquire(&namespace);
                drop(tokio::time::timeout(Duration::from_micros(number % 50), acquire).await);
            } else {
                visit.await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no assertion failed");
    }
    assert_eq!(semaphore.waiting(), 0);
    let all = async {
        (
            semaphore.acquire("").await,
            semaphore.acquire("").await,
            semaphore.acquire("").await,
        )
    };
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .expect("three permits");
}

/// Between the release of a permit and its delivery, another thread may drop the waiter.
#[tokio::test]
async fn a_permit_whose_waiter_is_gone_passes_to_the_next() {
    let semaphore = FairSemaphore::new(1);
    let permit = semaphore.acquire("a").await;
    for namespace in ["b", "c", "d"] {
        let (admit, receiver) = oneshot::channel();
        lock(&semaphore.state).waiting.push(namespace, admit);
        drop(receiver);
    }
    let (admit, admitted) = oneshot::channel();
    lock(&semaphore.state).waiting.push("e", admit);
    drop(permit);
    assert_eq!(semaphore.waiting(), 0);
    assert!(admitted.await.is_ok());
    assert_eq!(lock(&semaphore.state).free, 1);
}
