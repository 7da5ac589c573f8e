//! Faults that the operator's guarantee survives: the built binary runs between a real API server
//! and an STS that follows a script, while everything around it fails. Most names of tests begin
//! with the number of a fault: F of the cluster, S of STS, A of abuse.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod abuse;
mod abuse_crowds;
mod abuse_words;
mod access;
#[path = "../behaviour/actions.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod actions;
#[path = "../behaviour/barrier.rs"]
mod barrier;
mod courier;
mod edits;
mod harm;
#[path = "../behaviour/launch.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod launch;
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
mod resident;
mod restored;
#[path = "../behaviour/scene.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod scene;
mod sequences;
mod server;
mod sightings;
#[path = "../behaviour/stage.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod stage;
mod stale;
#[path = "../behaviour/steps.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod steps;
mod sts_faults;
#[path = "../support/suite.rs"]
mod suite;
mod tally;
#[path = "../support/variables.rs"]
mod variables;
mod waiting;
mod watch;
mod weight;
#[path = "../behaviour/witness.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod witness;

use anyhow::Result;
use scene::Stage;
use suite::Suite;

fn main() -> Result<()> {
    let suite = Suite::open(12, Stage::set)?;
    let conclusion = suite.play(tests(), |stage, test| witness::watched(test(stage)));
    suite.end(&conclusion)
}

fn tests() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    [
        // Slow tests first.
        harm::tests(),
        restored::tests(),
        points::tests(),
        access::tests(),
        replicas::tests(),
        stale::tests(),
        sequences::tests(),
        edits::tests(),
        weight::tests(),
        waiting::tests(),
        abuse::tests(),
        abuse_crowds::tests(),
        abuse_words::tests(),
        memory::tests(),
        server::tests(),
        sts_faults::tests(),
        watch::tests(),
    ]
}
