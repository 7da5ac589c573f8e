//! One that comes to a gate again and again.

use futures::{FutureExt, future::BoxFuture};

use super::{FairSemaphore, Permit};

/// Waits before a [`FairSemaphore`] for a namespace, and keeps its place while it does other things in between:
/// a wait that began anew each time would come last each time.
pub struct Entrant<'a> {
    gate: &'a FairSemaphore,
    namespace: &'a str,
    entering: Option<BoxFuture<'a, Permit>>,
}

impl<'a> Entrant<'a> {
    /// One that does not wait yet.
    #[must_use]
    pub fn new(gate: &'a FairSemaphore, namespace: &'a str) -> Self {
        Self {
            gate,
            namespace,
            entering: None,
        }
    }

    /// Waits to be let in. Dropped, this keeps its place for the next call.
    pub async fn enter(&mut self) -> Permit {
        let (gate, namespace) = (self.gate, self.namespace);
        let entering = self
            .entering
            .get_or_insert_with(|| gate.acquire(namespace).boxed());
        let permit = entering.await;
        self.entering = None;
        permit
    }

    /// Leaves the queue: it has nothing to enter for. A permit that came meanwhile goes on to the next.
    pub fn leave(&mut self) {
        self.entering = None;
    }
}
