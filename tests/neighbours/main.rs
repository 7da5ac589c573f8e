//! Other operators beside ours, on a real control plane with the chart's rights and policies: the tests check that both
//! stop writing. Each is built from its Go module, pinned in `go/`, which takes half an hour once; Reloader listens on
//! port 9090 of all addresses and has no flag for it. `cargo neighbours` runs the suite; with `UPDATE_DOCS=1` it
//! rewrites the table of docs/gitops.md.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod audit;
mod external_secrets;
#[allow(dead_code, reason = "suites of `api_server` use the rest")]
#[path = "../api_server/harness/helm.rs"]
mod helm;
mod life;
#[allow(dead_code, reason = "suites of `api_server` use the rest")]
#[path = "../api_server/harness/operator.rs"]
mod operator;
mod program;
mod reloader;
mod replicator;
mod sealed_secrets;
#[path = "../support/suite.rs"]
mod suite;
mod table;
mod test_env;

use std::process::ExitCode;

use anyhow::Result;
use futures::FutureExt;
use suite::{Program, Suite};
use test_env::TestCluster;

fn main() -> Result<ExitCode> {
    let mut program = Program::from_args()?;
    program.run(Suite {
        name: "neighbours",
        // The tests wait most of the time.
        threads: 6,
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| test(cluster),
        last: Some(("table::is_current", |cluster, passed| {
            if passed {
                table::written(&cluster.rows())
            } else {
                Ok(())
            }
        })),
        tests: vec![
            external_secrets::tests(),
            sealed_secrets::tests(),
            reloader::tests(),
            replicator::tests(),
        ],
    });
    Ok(program.exit_code())
}
