//! Metrics, without a cluster: their names and labels, their text formats, and the events that they count.
#![allow(
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test fails by panicking, and counts are whole"
)]

mod counts;
mod names;
mod resources;
mod texts;
mod watches;
