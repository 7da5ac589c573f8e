//! How `GitOps` tools and pipelines read a resource: kstatus as Flux and cli-utils compute it, Argo CD's health by the
//! script in `contrib/`, `kubectl wait`, and the examples of docs/gitops.md. All tests use objects of a real API server
//! that the operator brought into each state.
//!
//! `UPDATE_ARGOCD=1 cargo test --test gitops` rewrites the script's test data from those objects.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod argo_cd;
mod examples;
mod kstatus;
mod readers;
mod scene;
mod states;
#[path = "../support/suite.rs"]
mod suite;
mod waiting;

use anyhow::Result;
use scene::Stage;
use suite::{Suite, tests};

fn main() -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // The first test that needs the control plane starts it.
    let suite = Suite::open(threads, async || Ok(Stage::default()))?;
    let conclusion = suite.play(all(), |stage, test| test(stage));
    suite.end(&conclusion)
}

fn all() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    [
        argo_cd::tests(),
        kstatus::tests(),
        waiting::tests(),
        examples::tests(),
    ]
}
