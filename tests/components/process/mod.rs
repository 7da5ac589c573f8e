//! Parts of the running process without a cluster: a scope against a fake API server, and the ports.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod api_server;
mod bursts;
mod deposed;
#[path = "../../support/known.rs"]
mod known;
mod metrics;
mod outdated;
mod ports;
mod scope;
mod shared;
