//! Releases of the chart beside each other, by a real Helm, with the rights that the chart gives.
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

use std::sync::Arc;

use anyhow::Result;
use helm::{Stage, Test};
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    // Each has the cluster for itself, since what they install is the cluster's.
    arguments.test_threads = Some(1);
    let runtime = Runtime::new()?;
    if arguments.list {
        libtest_mimic::run(&arguments, tests(&runtime, &Arc::new(Stage::unset()))).exit();
    }
    let stage = Arc::new(runtime.block_on(Stage::set())?);
    let conclusion = libtest_mimic::run(&arguments, tests(&runtime, &stage));
    drop(stage);
    conclusion.exit();
}

fn tests(runtime: &Runtime, stage: &Arc<Stage>) -> Vec<Trial> {
    let suites = [
        cluster_scope::tests(),
        namespaces::tests(),
        handed_over::tests(),
    ];
    let handle = runtime.handle();
    let trial = |(name, test): (&'static str, Test)| {
        let (handle, stage) = (handle.clone(), Arc::clone(stage));
        Trial::test(name, move || {
            let result = handle.block_on(async {
                test(Arc::clone(&stage)).await?;
                stage.uninstall_all().await
            });
            result.map_err(|error| format!("{error:?}").into())
        })
    };
    suites.into_iter().flatten().map(trial).collect()
}
