//! Fairness between namespaces: which waiter is served next, and how many at once.
//!
//! A plain semaphore and the concurrency limit of a kube-rs controller ignore namespaces: all other
//! namespaces would wait behind one namespace with thousands of resources.

mod entrant;
mod gate;
mod yielding;

pub use entrant::Entrant;
pub use gate::{FairSemaphore, Permit};
pub use yielding::Load;

#[cfg(test)]
mod tests;
