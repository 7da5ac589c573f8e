//! What the operator shows of its process: metrics, the output of a panic, and no memory after a crash.
//!
//! Few tests, since `metrics::counts` counts the open files of this process, and a test that opens and closes many at
//! the same time would change the count.

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/exposition.rs"]
mod exposition;

mod core_dumps;
mod metrics;
mod panics;
