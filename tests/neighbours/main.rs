//! Operators of others beside ours, on a real control plane with the chart's rights and policies: whether they and
//! ours come to rest. Each is built from its Go module, as `go/` pins it, which takes half an hour once; Reloader
//! listens on port 9090 of all addresses and knows no flag for it. `cargo neighbours` plays them;
//! with `UPDATE_DOCS=1` the table of docs/gitops.md is written anew.
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
    // They wait most of the time.
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
