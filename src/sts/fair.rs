//! Fairness between namespaces: which waiter is served next, and how many at once.
//!
//! A plain semaphore and the concurrency limit of a kube-rs controller ignore namespaces: all other
//! namespaces would wait behind one namespace with thousands of resources.

mod burst_throttle;
mod pending_permit;
mod semaphore;

pub use burst_throttle::Load;
pub use pending_permit::PendingPermit;
pub use semaphore::{FairSemaphore, Permit};

#[cfg(test)]
mod tests;
