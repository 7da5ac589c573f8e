//! End-to-end tests: the built operator with a real API server and a stand-in for STS whose answers are scripted. The
//! operator runs under a service account with exactly the chart's rights, behind a proxy that counts requests and
//! injects faults.
//!
//! `matrix` has the documented behaviour and the requests of each case; `chaos` has faults, crashes and abuse that the
//! operator must survive. `harness` has what both use.
#![allow(
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test fails by panicking, and counts are whole"
)]

mod chaos;
mod harness;
mod matrix;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/suite.rs"]
mod suite;
#[path = "../support/variables.rs"]
mod variables;

use std::process::ExitCode;

use anyhow::Result;
use suite::Program;

fn main() -> Result<ExitCode> {
    let mut program = Program::from_args()?;
    program.run(matrix::suite());
    program.run(chaos::suite());
    Ok(program.exit_code())
}
