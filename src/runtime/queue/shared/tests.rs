//! Places of reconciles in progress, and how reconciles that AWS has answered get one again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    task::{JoinHandle, yield_now},
    time::timeout,
};

use super::{Slot, WorkQueue};
use crate::{
    domain::{decide::Cause, index::NamespacedName, lock::lock},
    ops::metrics::Metrics,
};

fn key(namespace: &str, name: &str) -> NamespacedName {
    NamespacedName::new(namespace, name)
}

fn queue(places: usize) -> Arc<WorkQueue> {
    WorkQueue::new(places, Metrics::default().queue)
}

fn start(queue: &Arc<WorkQueue>) -> Option<(String, Slot)> {
    let (item, slot) = queue.start(|_| true)?;
    Some((item.key.to_string(), slot))
}

/// Starts a task that continues, and returns once it waits or has its place.
async fn resumed(queue: &Arc<WorkQueue>, namespace: &'static str) -> JoinHandle<Slot> {
    let waiting = || lock(&queue.state).answered.len();
    let before = waiting();
    let task = tokio::spawn({
        let queue = Arc::clone(queue);
        async move { queue.resume(&Arc::from(namespace)).await }
    });
    while waiting() == before && !task.is_finished() {
        yield_now().await;
    }
    task
}

#[tokio::test]
async fn resources_start_while_there_are_places() {
    let queue = queue(2);
    queue.enqueue(
        [key("a", "one"), key("a", "two"), key("b", "three")],
        Cause::Change,
    );
    let first = start(&queue).unwrap();
    let second = start(&queue).unwrap();
    assert_eq!((&*first.0, &*second.0), ("a/one", "b/three"));
    assert!(start(&queue).is_none());
    drop(first);
    assert_eq!(start(&queue).unwrap().0, "a/two");
}

#[tokio::test]
async fn an_answered_reconcile_goes_on_before_another_begins() {
    let queue = queue(1);
    queue.enqueue([key("a", "one"), key("a", "two")], Cause::Change);
    let (_, running) = start(&queue).unwrap();
    let answered = resumed(&queue, "a").await;
    assert!(!answered.is_finished());
    drop(running);
    assert!(
        start(&queue).is_none(),
        "the place belongs to the answered one"
    );
    drop(answered.await.unwrap());
    assert!(start(&queue).is_some());
}

#[tokio::test]
async fn answered_reconciles_of_namespaces_go_on_in_turn() {
    let queue = queue(1);
    let held = queue.resume(&Arc::from("x")).await;
    let waiting = [
        resumed(&queue, "a").await,
        resumed(&queue, "a").await,
        resumed(&queue, "b").await,
    ];
    let [first, second, third] = waiting;
    drop(held);
    drop(first.await.unwrap());
    drop(third.await.unwrap());
    drop(second.await.unwrap());
}

/// On this runtime a notified task runs only when the test awaits, so the place is in transit.
#[tokio::test]
async fn a_place_for_a_reconcile_that_is_gone_passes_to_the_next() {
    let queue = queue(1);
    let held = queue.resume(&Arc::from("a")).await;
    let (gone, next) = (resumed(&queue, "a").await, resumed(&queue, "b").await);
    drop(held);
    gone.abort();
    assert!(gone.await.is_err());
    drop(next.await.unwrap());
    assert!(lock(&queue.state).places.has_room("a"));
}

#[tokio::test]
async fn a_burst_that_was_answered_leaves_places_to_others() {
    let queue = queue(16);
    let mut burst = Vec::new();
    for _ in 0..20 {
        burst.push(resumed(&queue, "burst").await);
    }
    let finished = || burst.iter().filter(|task| task.is_finished()).count();
    while finished() < 14 {
        yield_now().await;
    }
    assert_eq!(finished(), 14);
    assert!(resumed(&queue, "quiet").await.is_finished());
    burst.iter().for_each(JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_or_created_while_reconciles_come_and_go() {
    let queue = queue(3);
    let held = Arc::new(AtomicUsize::new(0));
    let tasks = (0..2_000_u64).map(|number| {
        let (queue, held) = (Arc::clone(&queue), Arc::clone(&held));
        tokio::spawn(async move {
            let namespace = Arc::from((number % 7).to_string());
            let visit = async {
                let _slot = queue.resume(&namespace).await;
                assert!(held.fetch_add(1, SeqCst) < 3, "more places than there are");
                yield_now().await;
                held.fetch_sub(1, SeqCst);
            };
            if number % 3 == 0 {
                // Gives up while it waits or gets the place, but never later.
                let resume = queue.resume(&namespace);
                drop(timeout(Duration::from_micros(number % 50), resume).await);
            } else {
                visit.await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let state = lock(&queue.state);
    assert!(state.answered.is_empty() && !state.places.is_full());
    assert!(
        ["0", "1", "2"]
            .into_iter()
            .all(|name| state.places.has_room(name))
    );
}
