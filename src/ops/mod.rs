//! What the process shows of itself: [`metrics`], [`health`], and logs and spans ([`telemetry`]). [`sync_state`] says
//! how much of the cluster has been listed.

pub mod health;
pub mod metrics;
pub mod sync_state;
pub mod telemetry;
