//! A wait for a permit that keeps its place in the queue of a semaphore.

use futures::{FutureExt, future::BoxFuture};

use super::{FairSemaphore, Permit};

/// Waits for a [`FairSemaphore`] on behalf of a namespace, and keeps its place in the queue between calls of
/// [`Self::acquire`]: a wait that started again each time would be the last in the queue each time.
pub struct PendingPermit<'a> {
    semaphore: &'a FairSemaphore,
    namespace: &'a str,
    pending: Option<BoxFuture<'a, Permit>>,
}

impl<'a> PendingPermit<'a> {
    /// A permit that is not waited for yet.
    #[must_use]
    pub fn new(semaphore: &'a FairSemaphore, namespace: &'a str) -> Self {
        Self {
            semaphore,
            namespace,
            pending: None,
        }
    }

    /// Waits for a permit. If the future is dropped, the place in the queue is kept for the next call.
    pub async fn acquire(&mut self) -> Permit {
        let (semaphore, namespace) = (self.semaphore, self.namespace);
        let pending = self
            .pending
            .get_or_insert_with(|| semaphore.acquire(namespace).boxed());
        let permit = pending.await;
        self.pending = None;
        permit
    }

    /// Leaves the queue. A permit that was granted meanwhile passes to the next waiter.
    pub fn cancel(&mut self) {
        self.pending = None;
    }
}
