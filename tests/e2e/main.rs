//! The built binary between a real API server and an STS that follows a script, under its own service account with the
//! rights of the chart. `matrix` has the behaviour that is promised; `chaos` has what the promise survives.
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
