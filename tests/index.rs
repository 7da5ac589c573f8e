//! What the index says of Secrets and resources, by tables and against a model that keeps all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "support/index/chance.rs"]
mod chance;
#[path = "support/index/model.rs"]
mod model;
#[path = "support/index/random.rs"]
mod random;
#[path = "support/index/relists.rs"]
mod relists;
#[path = "support/index/tables.rs"]
mod tables;
