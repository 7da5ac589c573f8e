//! The chart, without a cluster: rendered objects, rejected values, and the consistency of its parts.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod alerts;
pub mod checks;
mod covered;
mod dashboard;
mod files;
mod flags;
mod package;
mod pod;
mod promql;
mod readme;
mod refused;
pub mod render;
mod rights;
mod schema;
mod switches;
