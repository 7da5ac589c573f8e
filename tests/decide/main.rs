//! The rules of the design as sentences: what a change of source, target, spec, AWS, clock or process does to target
//! and status. All in memory; time is an argument.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod asking;
mod clock;
mod control;
mod crashes;
mod digest;
mod instructions;
mod labels;
mod leftovers;
mod model;
mod new_pairs;
mod newcomers;
mod ownership;
mod properties;
mod refusals;
mod renames;
#[path = "../support/report.rs"]
mod report;
mod rivals;
mod signatures;
mod sim;
mod source;
mod spec;
mod stores;
mod suspension;
mod target;
mod transitions;
mod ttl;
mod unrepaired;
mod untrusted_statuses;
mod waiting;
mod withdrawal;
