//! What a watch reports of the API server besides objects.

use tokio::sync::watch;

use crate::runtime::context::ScopeContext;

/// Reaction to a recovered API server or a restored store. A trait, since with the concrete context
/// the compiler would check for each kind and each step whether all of its content is `Send`.
pub trait Recovery: Send + Sync {
    /// Counts how often the store was found restored from a backup, by any watch of the scope.
    fn restores(&self) -> watch::Receiver<u64>;
    /// The store was restored from a backup.
    fn on_etcd_restore(&self);
    /// The API server works again after a failure.
    fn on_recovered(&self);
}

impl Recovery for ScopeContext {
    fn restores(&self) -> watch::Receiver<u64> {
        self.restored.subscribe()
    }

    fn on_etcd_restore(&self) {
        Self::on_etcd_restore(self);
    }

    fn on_recovered(&self) {
        self.enqueue_failed();
    }
}
