//! What a watch learns of the API server besides objects.

use tokio::sync::watch;

use crate::context::ScopeContext;

/// What follows when the API server or its store is back. As a type of its own, since the compiler would try for each kind
/// and each step whether all that a context holds may be sent.
pub trait Recovery: Send + Sync {
    /// Counts how often the store was found restored from a backup, whichever watch found out.
    fn restores(&self) -> watch::Receiver<u64>;
    /// The store was restored from a backup.
    fn on_etcd_restore(&self);
    /// The API server works again.
    fn works_again(&self);
}

impl Recovery for ScopeContext {
    fn restores(&self) -> watch::Receiver<u64> {
        self.restored.subscribe()
    }

    fn on_etcd_restore(&self) {
        Self::on_etcd_restore(self);
    }

    fn works_again(&self) {
        self.enqueue_failed();
    }
}
