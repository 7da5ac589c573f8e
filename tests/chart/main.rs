//! The chart, without a cluster: what it renders, what it refuses, and that its parts agree.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/exposition.rs"]
mod exposition;

mod alerts;
mod checks;
mod covered;
mod dashboard;
mod files;
mod flags;
mod package;
mod pod;
mod promql;
mod readme;
mod refused;
mod render;
mod rights;
mod schema;
mod switches;
