//! Tests with pods on a real node: containerd and a kubelet on this machine. Where the machine cannot run a node, the
//! tests print `SKIPPED` and pass; with the environment variable `CI` they fail.
//!
//! - `machine`: the node itself, and that it leaves nothing behind.
//! - `image_pod`: the operator's image in restricted pods.
//! - `helm_e2e`: the chart, from install to uninstall.
//! - `injection`: pods that get the pair by an annotation, and restarts of workloads.
//! - `quickstart`: the commands of docs/quickstart.md.
//! - `conformance`: the layouts that each AWS SDK reads.
#![allow(
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a key that a JSON value lacks reads as null"
)]

mod conformance;
mod helm_e2e;
mod image_pod;
mod injection;
mod machine;
#[path = "../support/marked.rs"]
mod marked;
mod quickstart;
#[path = "../support/rights.rs"]
mod rights;
#[path = "../support/suite.rs"]
mod suite;

use std::process::ExitCode;

use anyhow::Result;
use futures::FutureExt;
use suite::{Program, Suite};

/// No common environment: each test starts a cluster with a node.
pub type TestCluster = ();

fn main() -> Result<ExitCode> {
    let mut program = Program::from_args()?;
    program.run(Suite {
        name: "node",
        // A node needs the whole machine, and `machine` searches the machine for leftovers of a cluster.
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
