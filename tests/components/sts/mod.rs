//! Calls to STS: meaning of answers, sharing, order, and faults of the network.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod ambient;
mod asking;
mod client;
mod identities;
mod network;
mod outages;
mod proxy;
mod raw;
mod script;
mod settings;
mod sharing;
mod tls;
mod turns;
#[path = "../../support/variables.rs"]
mod variables;
mod verdicts;
mod xml;
