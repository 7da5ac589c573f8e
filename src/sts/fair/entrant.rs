//! A waiter that keeps its place in the queue of a semaphore.

use futures::{FutureExt, future::BoxFuture};

use super::{FairSemaphore, Permit};

/// Waits for a [`FairSemaphore`] on behalf of a namespace, and keeps its place in the queue between calls of
/// [`Self::enter`]: a wait that started again each time would be the last in the queue each time.
pub struct Entrant<'a> {
    gate: &'a FairSemaphore,
    namespace: &'a str,
    entering: Option<BoxFuture<'a, Permit>>,
}

impl<'a> Entrant<'a> {
    /// An entrant that does not wait yet.
    #[must_use]
    pub fn new(gate: &'a FairSemaphore, namespace: &'a str) -> Self {
        Self {
            gate,
            namespace,
            entering: None,
        }
    }

    /// Waits for a permit. If the future is dropped, the place in the queue is kept for the next call.
    pub async fn enter(&mut self) -> Permit {
        let (gate, namespace) = (self.gate, self.namespace);
        let entering = self
            .entering
            .get_or_insert_with(|| gate.acquire(namespace).boxed());
        let permit = entering.await;
        self.entering = None;
        permit
    }

    /// Leaves the queue. A permit that was granted meanwhile passes to the next waiter.
    pub fn leave(&mut self) {
        self.entering = None;
    }
}
