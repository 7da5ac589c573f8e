//! Fairness between namespaces: who is served next, and how many at once.
//!
//! Neither a semaphore nor the controller's own concurrency limit knows namespaces, so one namespace
//! with thousands of resources would keep all others waiting behind it.

mod entrant;
mod gate;
mod queue;
mod yielding;

pub use entrant::Entrant;
pub use gate::{FairSemaphore, Permit};
pub use queue::{FairQueue, Ticket};
pub use yielding::Load;
