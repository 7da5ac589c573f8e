//! The behaviour matrix on a real API server: the built binary under its own service account, with
//! the RBAC that it ships with, and a proxy that counts its requests.
#![allow(
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test fails by panicking, and counts are whole"
)]

mod actions;
mod adoption;
mod aws;
mod costs;
mod elsewhere;
mod formats;
mod interval;
mod leadership;
mod leaks;
mod lifecycle;
mod observed;
mod operations;
mod outage;
mod ownership;
mod pins;
mod plot;
mod process;
mod prometheus;
mod publish;
mod rejected;
mod rename;
mod replicas;
mod rights;
mod runbook;
mod scale;
mod scene;
mod settling;
mod source;
mod steps;
mod suspend;
mod target;
mod undecodable;
mod witness;
mod writes;

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use scene::Stage;
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    if arguments.test_threads.is_none() {
        arguments.test_threads = Some(12);
    }
    let runtime = Runtime::new()?;
    if arguments.list {
        let trials = tests(&runtime, &Arc::new(Stage::unset()));
        libtest_mimic::run(&arguments, trials).exit();
    }
    let stage = Arc::new(runtime.block_on(Stage::set())?);
    let conclusion = libtest_mimic::run(&arguments, tests(&runtime, &stage));
    let whole = arguments.filter.is_none() && arguments.skip.is_empty();
    let passed = !conclusion.has_failed();
    let last = whole.then(|| libtest_mimic::run(&arguments, vec![rights::test(&stage, passed)]));
    drop(stage);
    // Ends the process if it is a failure.
    conclusion.exit_if_failed();
    last.unwrap_or(conclusion).exit();
}

fn tests(runtime: &Runtime, stage: &Arc<Stage>) -> Vec<Trial> {
    // The slow ones come first, to be under way while the others are played.
    let suites = [
        scale::tests(),
        leadership::tests(),
        elsewhere::tests(),
        operations::tests(),
        runbook::tests(),
        settling::tests(),
        rejected::tests(),
        interval::tests(),
        publish::tests(),
        source::tests(),
        formats::tests(),
        aws::tests(),
        pins::tests(),
        witness::tests(),
        target::tests(),
        ownership::tests(),
        adoption::tests(),
        lifecycle::tests(),
        rename::tests(),
        suspend::tests(),
        writes::tests(),
        process::tests(),
        observed::tests(),
        outage::tests(),
        undecodable::tests(),
        leaks::tests(),
        costs::tests(),
    ];
    let handle = runtime.handle();
    let trial = |(name, test): (&'static str, scene::Test)| {
        let (handle, stage) = (handle.clone(), Arc::clone(stage));
        Trial::test(name, move || {
            handle
                .block_on(witness::watched(test(stage)))
                .map_err(|error| format!("{error:?}").into())
        })
    };
    suites.into_iter().flatten().map(trial).collect()
}
