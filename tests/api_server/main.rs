//! Tests on a real API server without a node, each suite on a separate cluster:
//!
//! - `crd`: the schema of the definition and its rules.
//! - `check`: the commands `check` and `api-check`.
//! - `gitops`: Flux, Argo CD and pipelines that read the status.
//! - `policies`: the chart's admission policies.
//! - `multi_install`: several releases of the chart in one cluster.
//! - `min_kubernetes`: the oldest supported version of Kubernetes.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod check;
mod crd;
mod gitops;
mod harness;
mod min_kubernetes;
mod multi_install;
mod policies;
#[allow(dead_code, reason = "no suite here has a long form")]
#[path = "../support/report.rs"]
mod report;
#[allow(dead_code, reason = "each suite uses a part of it")]
#[path = "../support/schema/mod.rs"]
mod schema;
#[path = "../support/suite.rs"]
mod suite;

use std::process::ExitCode;

use anyhow::Result;
use suite::Program;

fn main() -> Result<ExitCode> {
    let mut program = Program::from_args()?;
    program.run(crd::suite());
    program.run(check::suite());
    program.run(gitops::suite());
    program.run(policies::suite());
    program.run(multi_install::suite());
    program.run(min_kubernetes::suite());
    Ok(program.exit_code())
}
