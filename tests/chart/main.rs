//! The chart, without a cluster: what it renders, what it refuses, and that its parts agree.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod checks;
mod files;
mod flags;
mod package;
mod pod;
mod readme;
mod refused;
mod render;
mod rights;
mod schema;
mod switches;
