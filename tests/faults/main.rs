//! What the promise survives: the built binary between a real API server and an STS that follows a
//! script, while everything around it fails. A test begins with the number of the fault that it
//! shows survived: F of the cluster, S of STS, A of abuse.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod abuse;
mod abuse_crowds;
mod abuse_words;
mod access;
#[path = "../behaviour/actions.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod actions;
mod courier;
mod edits;
mod harm;
mod layouts;
mod memory;
mod outcome;
mod points;
#[path = "../behaviour/replicas.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod replica;
mod replicas;
#[path = "../support/report.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod report;
mod restored;
#[path = "../behaviour/scene.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod scene;
mod sequences;
mod server;
mod sightings;
mod stale;
#[path = "../behaviour/steps.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod steps;
mod sts_faults;
mod watch;
mod weight;
#[path = "../behaviour/witness.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod witness;

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use scene::{Stage, Test};
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
    drop(stage);
    conclusion.exit();
}

fn tests(runtime: &Runtime, stage: &Arc<Stage>) -> Vec<Trial> {
    let suites = [
        // The slow ones come first.
        harm::tests(),
        restored::tests(),
        points::tests(),
        access::tests(),
        replicas::tests(),
        stale::tests(),
        sequences::tests(),
        edits::tests(),
        weight::tests(),
        abuse::tests(),
        abuse_crowds::tests(),
        abuse_words::tests(),
        memory::tests(),
        server::tests(),
        sts_faults::tests(),
        watch::tests(),
    ];
    let handle = runtime.handle();
    let trial = |(name, test): (&'static str, Test)| {
        let (handle, stage) = (handle.clone(), Arc::clone(stage));
        Trial::test(name, move || {
            handle
                .block_on(witness::watched(test(stage)))
                .map_err(|error| format!("{error:?}").into())
        })
    };
    suites.into_iter().flatten().map(trial).collect()
}
