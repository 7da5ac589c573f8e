//! Several releases of the chart in one cluster, by a real Helm, with the rights that the chart grants.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cluster_scope;
#[path = "../policies/cycle.rs"]
mod cycle;
mod handed_over;
mod helm;
mod namespaces;
#[path = "../policies/operator.rs"]
mod operator;
#[path = "../support/suite.rs"]
mod suite;

use std::sync::Arc;

use anyhow::Result;
use helm::Stage;
use suite::Suite;

fn main() -> Result<()> {
    let mut suite = Suite::open(1, Stage::set)?;
    // One test at a time, since the tests install cluster-scoped objects.
    suite.arguments.test_threads = Some(1);
    let conclusion = suite.play(tests(), |stage, test| async move {
        test(Arc::clone(&stage)).await?;
        stage.uninstall_all().await
    });
    suite.end(&conclusion)
}

fn tests() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    [
        cluster_scope::tests(),
        namespaces::tests(),
        handed_over::tests(),
    ]
}
