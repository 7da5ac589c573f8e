//! The behaviour matrix on a real API server: the built binary under its own service account, with
//! the RBAC that it ships with, and a proxy that counts its requests.
#![allow(
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test fails by panicking, and counts are whole"
)]

mod access;
mod actions;
mod adoption;
mod aws;
mod barrier;
mod consumers;
mod controlled;
mod costs;
mod crowds;
mod digest;
mod elsewhere;
mod formats;
mod holders;
mod interval;
mod labels;
mod laggards;
mod launch;
mod leadership;
mod leaks;
mod leftovers;
mod lifecycle;
mod namespaces;
mod observed;
mod operations;
mod outage;
mod ownership;
mod pins;
mod plot;
mod process;
mod prometheus;
mod proxied;
mod publish;
mod quoting;
mod rejected;
mod rename;
mod replicas;
mod restarted;
mod restarts;
mod rights;
mod runbook;
mod scale;
mod scene;
mod settling;
mod signatures;
mod source;
mod stage;
mod steps;
#[path = "../support/suite.rs"]
mod suite;
mod suspend;
mod target;
mod ttl;
mod turns;
mod undecodable;
mod witness;
mod workloads;
mod writes;

use anyhow::Result;
use scene::Stage;
use suite::Suite;

fn main() -> Result<()> {
    let suite = Suite::open(12, Stage::set)?;
    let conclusion = suite.play(tests(), |stage, test| witness::watched(test(stage)));
    let arguments = &suite.arguments;
    let whole = arguments.filter.is_none() && arguments.skip.is_empty();
    let passed = !conclusion.has_failed();
    let stage = suite.stage.as_ref().filter(|_| whole);
    let last = stage.map(|stage| libtest_mimic::run(arguments, vec![rights::test(stage, passed)]));
    match last {
        Some(last) if passed => suite.end(&last),
        _ => suite.end(&conclusion),
    }
}

fn tests() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    // The slow tests come first, so that the others run beside them.
    [
        scale::tests(),
        leadership::tests(),
        elsewhere::tests(),
        operations::tests(),
        runbook::tests(),
        settling::tests(),
        rejected::tests(),
        signatures::tests(),
        turns::tests(),
        controlled::tests(),
        crowds::tests(),
        interval::tests(),
        publish::tests(),
        quoting::tests(),
        source::tests(),
        formats::tests(),
        aws::tests(),
        pins::tests(),
        witness::tests(),
        target::tests(),
        ttl::tests(),
        ownership::tests(),
        access::tests(),
        adoption::tests(),
        lifecycle::tests(),
        digest::tests(),
        labels::tests(),
        leftovers::tests(),
        rename::tests(),
        suspend::tests(),
        writes::tests(),
        process::tests(),
        proxied::tests(),
        namespaces::tests(),
        observed::tests(),
        outage::tests(),
        undecodable::tests(),
        leaks::tests(),
        consumers::tests(),
        holders::tests(),
        restarted::tests(),
        laggards::tests(),
        restarts::tests(),
        costs::tests(),
    ]
}
