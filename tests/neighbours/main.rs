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
#[allow(dead_code, unused_imports, reason = "a suite of its own uses the rest")]
#[path = "../side_by_side/helm.rs"]
mod helm;
mod life;
#[allow(dead_code, reason = "a suite of its own uses the rest")]
#[path = "../policies/operator.rs"]
mod operator;
mod program;
mod reloader;
mod replicator;
mod scene;
mod sealed_secrets;
#[path = "../support/suite.rs"]
mod suite;
mod table;

use anyhow::Result;
use scene::Stage;
use suite::Suite;

fn main() -> Result<()> {
    // The tests wait most of the time.
    let suite = Suite::open(6, Stage::set)?;
    let conclusion = suite.play(tests(), |stage, test| test(stage));
    if let Some(stage) = &suite.stage
        && !conclusion.has_failed()
        && conclusion.num_filtered_out == 0
    {
        table::written(&stage.rows())?;
    }
    suite.end(&conclusion)
}

fn tests() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    [
        external_secrets::tests(),
        sealed_secrets::tests(),
        reloader::tests(),
        replicator::tests(),
    ]
}
