//! The index of Secrets and resources, by tables and against a model that keeps everything.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod chance;
mod model;
mod random;
mod relists;
mod tables;
