//! A semaphore that is fair between namespaces: with a plain semaphore, all other namespaces would wait behind one
//! namespace with thousands of resources.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use crate::domain::{
    fair_queue::{FairQueue, Ticket},
    lock::lock,
};

/// A semaphore whose waiters are admitted in the order of a [`FairQueue`].
#[derive(Clone, Debug)]
pub(super) struct FairSemaphore {
    state: Arc<Mutex<SemaphoreState>>,
}

/// A permit of a [`FairSemaphore`]. On drop, it passes to the next waiter in the queue.
#[derive(Debug)]
pub(super) struct Permit {
    state: Arc<Mutex<SemaphoreState>>,
}

#[derive(Debug)]
struct SemaphoreState {
    free: usize,
    waiting: FairQueue<oneshot::Sender<Permit>>,
}

/// A place in the queue, given up on drop.
struct Waiter<'a> {
    state: &'a Mutex<SemaphoreState>,
    ticket: Ticket,
    admitted: oneshot::Receiver<Permit>,
}

impl FairSemaphore {
    /// A semaphore with this number of permits.
    pub(super) fn new(permits: usize) -> Self {
        let state = SemaphoreState {
            free: permits,
            waiting: FairQueue::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Waits for a permit. A dropped future leaves the queue; a permit that comes too late for its waiter
    /// passes to the next waiter.
    pub(super) async fn acquire(&self, namespace: &str) -> Permit {
        loop {
            let waiter = {
                let mut state = lock(&self.state);
                if state.free > 0 {
                    state.free -= 1;
                    return Permit::new(&self.state);
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
    #[cfg(test)]
    fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }
}

impl Permit {
    fn new(state: &Arc<Mutex<SemaphoreState>>) -> Self {
        Self {
            state: Arc::clone(state),
        }
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
mod tests;
