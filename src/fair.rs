//! Fairness between namespaces: who is served next, and how many at once.
//!
//! Neither a semaphore nor the controller's own concurrency limit knows namespaces, so one namespace
//! with thousands of resources would keep all others waiting behind it.

mod gate;
mod queue;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use gate::{FairGate, Permit};
pub use queue::{FairQueue, Place};

/// A panic under one of these locks leaves no half-done change behind, so poison means nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
