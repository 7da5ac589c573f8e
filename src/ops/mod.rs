//! What the process shows of itself: [`metrics`], [`health`] and logs ([`telemetry`]). [`sync_state`] is how much of the
//! cluster has been listed.

pub mod health;
pub mod metrics;
pub(crate) mod sync_state;
pub(crate) mod telemetry;
