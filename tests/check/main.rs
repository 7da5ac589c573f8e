//! `check` and `api-check` as people and pipelines run them: the built program, an STS stand-in that
//! checks signatures, and a real API server where a cluster is concerned.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod api;
mod asking;
mod cluster;
mod documentation;
mod manifests;
mod nonsense;
mod operator;
mod program;
mod stage;
mod undetermined;
mod usage;
mod verdicts;

use std::sync::Arc;

use anyhow::Result;
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};
use stage::Stage;
use tokio::runtime::Runtime;

/// A test: it gets the stage, on which a control plane starts once somebody needs one.
pub type Test = fn(Arc<Stage>) -> LocalBoxFuture<'static, Result<()>>;

/// Lists tests under the names of their functions.
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        /// The tests of this file.
        pub fn tests() -> Vec<(&'static str, crate::Test)> {
            use futures::FutureExt;
            vec![$((stringify!($test), |stage| $test(stage).boxed_local())),*]
        }
    };
}
pub(crate) use tests;

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    if arguments.test_threads.is_none() {
        arguments.test_threads = Some(8);
    }
    let runtime = Runtime::new()?;
    let stage = Arc::new(Stage::default());
    let conclusion = libtest_mimic::run(&arguments, trials(&runtime, &stage));
    drop(stage);
    conclusion.exit();
}

fn trials(runtime: &Runtime, stage: &Arc<Stage>) -> Vec<Trial> {
    let suites = [
        operator::tests(),
        cluster::tests(),
        api::tests(),
        asking::tests(),
        verdicts::tests(),
        undetermined::tests(),
        manifests::tests(),
        nonsense::tests(),
        usage::tests(),
        documentation::tests(),
    ];
    let handle = runtime.handle();
    let trial = |(name, test): (&'static str, Test)| {
        let (handle, stage) = (handle.clone(), Arc::clone(stage));
        Trial::test(name, move || {
            handle
                .block_on(test(stage))
                .map_err(|error| format!("{error:?}").into())
        })
    };
    suites.into_iter().flatten().map(trial).collect()
}
