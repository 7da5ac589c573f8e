//! A semaphore that is fair between namespaces.

use std::sync::{Arc, Mutex};

use tokio::{sync::oneshot, time::Instant};

use super::{Load, burst_throttle::BurstThrottle};
use crate::domain::{
    fair_queue::{FairQueue, Ticket},
    lock::lock,
};

/// A semaphore whose waiters are admitted in the order of a [`FairQueue`].
#[derive(Clone, Debug)]
pub struct FairSemaphore {
    state: Arc<Mutex<SemaphoreState>>,
}

/// A permit of a [`FairSemaphore`]. On drop, it passes to the next waiter in the queue.
#[derive(Debug)]
pub struct Permit {
    state: Arc<Mutex<SemaphoreState>>,
    holder: Option<(Load, Arc<str>)>,
}

#[derive(Debug)]
struct SemaphoreState {
    free: usize,
    waiting: FairQueue<oneshot::Sender<Permit>>,
    throttle: BurstThrottle,
}

/// A place in the queue, given up on drop.
struct Waiter<'a> {
    state: &'a Mutex<SemaphoreState>,
    ticket: Ticket,
    admitted: oneshot::Receiver<Permit>,
}

impl FairSemaphore {
    /// A semaphore with this number of permits.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        let state = SemaphoreState {
            free: permits,
            waiting: FairQueue::new(),
            throttle: BurstThrottle::new(permits),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Waits for a permit. A dropped future leaves the queue; a permit that comes too late for its waiter
    /// passes to the next waiter.
    pub async fn acquire(&self, namespace: &str) -> Permit {
        loop {
            let waiter = {
                let mut state = lock(&self.state);
                if state.free > 0 {
                    state.free -= 1;
                    return self.permit();
                }
                let (admit, admitted) = oneshot::channel();
                Waiter {
                    ticket: state.waiting.push(namespace, admit),
                    state: &self.state,
                    admitted,
                }
            };
            if let Some(permit) = waiter.admitted().await {
                return permit;
            }
        }
    }

    /// How many waiters are queued.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    /// Until when no further item of a burst shall start, unless the burst releases a permit earlier.
    #[must_use]
    pub fn burst_blocked_until(&self, now: Instant) -> Option<Instant> {
        lock(&self.state).throttle.burst_blocked_until(now)
    }

    fn permit(&self) -> Permit {
        Permit::new(&self.state)
    }
}

impl Permit {
    fn new(state: &Arc<Mutex<SemaphoreState>>) -> Self {
        Self {
            state: Arc::clone(state),
            holder: None,
        }
    }

    /// Records the load and namespace of the holder, for the throttling of bursts.
    #[must_use]
    pub fn with_load(mut self, load: Load, namespace: &Arc<str>, now: Instant) -> Self {
        let mut state = lock(&self.state);
        if let Some((load, namespace)) = &self.holder {
            state.throttle.release(*load, namespace);
        }
        state.throttle.acquire(load, namespace, now);
        drop(state);
        self.holder = Some((load, Arc::clone(namespace)));
        self
    }
}

impl Waiter<'_> {
    async fn admitted(mut self) -> Option<Permit> {
        (&mut self.admitted).await.ok()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let removed = lock(self.state).waiting.remove(&self.ticket);
        drop(removed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut state = lock(&self.state);
            if let Some((load, namespace)) = &self.holder {
                state.throttle.release(*load, namespace);
            }
            let next = state.waiting.pop();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            let permit = Self::new(&self.state);
            // If the waiter is gone, `send` returns the permit, whose drop here takes the lock: the lock
            // must be free by then.
            drop(next.send(permit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
