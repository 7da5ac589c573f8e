//! The chart's admission policies on a real API server, against the real accounts. That of the operator
//! is bound to cluster-admin on purpose: what is refused here is refused by the policies alone.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod attempt;
mod checked;
mod cycle;
mod fence;
mod fence_creates;
mod fence_updates;
mod injection;
mod injection_refused;
mod injection_where;
mod life;
mod only;
mod operator;
mod requester;
mod stage;
mod status;

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use stage::{Stage, Test};
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    if arguments.test_threads.is_none() {
        arguments.test_threads = Some(6);
    }
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
        fence::tests(),
        fence_creates::tests(),
        fence_updates::tests(),
        only::tests(),
        status::tests(),
        requester::tests(),
        life::tests(),
        injection::tests(),
        injection_where::tests(),
        injection_refused::tests(),
        checked::tests(),
    ];
    let handle = runtime.handle();
    let trial = |(name, test): (&'static str, Test)| {
        let (handle, stage) = (handle.clone(), Arc::clone(stage));
        Trial::test(name, move || {
            let result = handle.block_on(test(stage));
            result.map_err(|error| format!("{error:?}").into())
        })
    };
    suites.into_iter().flatten().map(trial).collect()
}
