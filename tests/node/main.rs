//! Pods on a real node: the node itself, the image, the chart from install to uninstall, injection, the quickstart,
//! and the SDKs of AWS.
#![allow(
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a key that a JSON value lacks reads as null"
)]

mod conformance;
mod helm_e2e;
mod image_pod;
mod injection;
mod machine;
mod quickstart;
#[path = "../support/suite.rs"]
mod suite;

use std::process::ExitCode;

use anyhow::Result;
use futures::FutureExt;
use suite::{Program, Suite};

/// Each test starts a cluster with a node.
pub type TestCluster = ();

fn main() -> Result<ExitCode> {
    let mut program = Program::from_args()?;
    program.run(Suite {
        name: "node",
        // A node needs the whole machine, and `machine` looks for what a cluster has left.
        threads: 1,
        start: || async { Ok(()) }.boxed_local(),
        run: |cluster, test| test(cluster),
        last: None,
        tests: vec![
            machine::tests(),
            image_pod::tests(),
            helm_e2e::tests(),
            injection::tests(),
            quickstart::tests(),
        ],
    });
    program.run_trials(None, conformance::trials());
    Ok(program.exit_code())
}
