//! `check` and `api-check` as run by people and pipelines: the built program, an STS stand-in that
//! checks signatures, and a real API server for the tests that need a cluster.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod api;
mod asking;
mod cluster;
mod documentation;
mod forms;
mod kustomize;
mod manifests;
mod nonsense;
mod operator;
mod oracle;
mod program;
mod rule_forms;
mod rules;
#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/schema/mod.rs"]
mod schema;
mod stage;
#[path = "../support/suite.rs"]
mod suite;
mod undetermined;
mod usage;
mod verdicts;

use anyhow::Result;
use stage::Stage;
use suite::{Suite, tests};

fn main() -> Result<()> {
    // The first test that needs the control plane starts it.
    let suite = Suite::open(8, async || Ok(Stage::default()))?;
    let conclusion = suite.play(all(), |stage, test| test(stage));
    suite.end(&conclusion)
}

fn all() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    [
        operator::tests(),
        oracle::tests(),
        rules::tests(),
        kustomize::tests(),
        cluster::tests(),
        api::tests(),
        asking::tests(),
        verdicts::tests(),
        undetermined::tests(),
        manifests::tests(),
        nonsense::tests(),
        usage::tests(),
        documentation::tests(),
    ]
}
