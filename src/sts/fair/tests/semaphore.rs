//! The limit of permits, and the order in which waiters get them.

use std::{sync::Arc, time::Duration};

use crate::sts::fair::{FairSemaphore, Load, PendingPermit, Permit};
use futures::FutureExt;
use tokio::{
    task::{JoinHandle, yield_now},
    time::Instant,
};

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

#[tokio::test]
async fn a_permit_counts_for_its_namespace_until_it_is_released() {
    let semaphore = FairSemaphore::new(8);
    let now = Instant::now();
    let (burst_namespace, light_namespace) = (Arc::from("burst"), Arc::from("quiet"));
    let mut burst_permits = Vec::new();
    for _ in 0..7 {
        assert_eq!(semaphore.burst_blocked_until(now), None);
        burst_permits.push(semaphore.acquire("burst").await.with_load(
            Load::Burst,
            &burst_namespace,
            now,
        ));
    }
    assert!(
        semaphore.burst_blocked_until(now).is_some(),
        "one permit is not for a burst"
    );
    burst_permits.truncate(1);
    assert_eq!(semaphore.burst_blocked_until(now), None);
    let light_permit = semaphore.acquire("quiet").await;
    assert_eq!(
        semaphore.burst_blocked_until(now),
        None,
        "the load of the permit is not known yet"
    );
    let light_permit = light_permit.with_load(Load::Light, &light_namespace, now);
    let until = semaphore
        .burst_blocked_until(now)
        .expect("a burst is throttled");
    drop(burst_permits);
    assert_eq!(
        semaphore.burst_blocked_until(now),
        None,
        "a throttled burst keeps one permit"
    );
    let reloaded = light_permit.with_load(Load::Burst, &light_namespace, now);
    assert_eq!(
        semaphore.burst_blocked_until(now),
        Some(until),
        "that permit is taken"
    );
    drop(reloaded);
    let _next = semaphore.acquire("burst").await;
    assert_eq!(
        semaphore.burst_blocked_until(now),
        None,
        "the load of the permit is not known yet"
    );
}

#[tokio::test]
async fn a_pending_permit_keeps_its_place_between_calls() {
    let semaphore = FairSemaphore::new(1);
    let held = semaphore.acquire("a").await;
    let mut pending = PendingPermit::new(&semaphore, "");
    assert!(pending.acquire().now_or_never().is_none());
    let mut others = Vec::new();
    for namespace in ["a", "b", "c"] {
        others.push(waiter(&semaphore, namespace).await);
        assert!(pending.acquire().now_or_never().is_none());
    }
    assert_eq!(semaphore.waiting(), 4);
    drop(held);
    let permit = pending.acquire().now_or_never();
    assert!(permit.is_some(), "the place in the queue is lost");
}

#[tokio::test]
async fn a_cancelled_pending_permit_passes_to_the_next() {
    let semaphore = FairSemaphore::new(1);
    let held = semaphore.acquire("a").await;
    let mut pending = PendingPermit::new(&semaphore, "");
    assert!(pending.acquire().now_or_never().is_none());
    let other = waiter(&semaphore, "a").await;
    drop(held);
    assert!(!other.is_finished());
    pending.cancel();
    drop(other.await.expect("admitted"));
    assert!(pending.acquire().now_or_never().is_some());
}
