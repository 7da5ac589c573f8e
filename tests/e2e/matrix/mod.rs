//! The documented behaviour, case by case, with the number of requests that each case costs.

mod access;
mod adoption;
mod aws;
mod bursts;
mod classes;
mod consumers;
mod controlled;
mod costs;
mod credentials_file;
mod digest;
mod disaster_recovery;
mod formats;
mod holders;
mod interval;
mod labels;
mod laggards;
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
mod pods;
mod process;
mod prometheus;
mod proxied;
mod publish;
mod quoting;
mod rejected;
mod rename;
mod restarted;
mod restarts;
mod restarts_not_allowed;
mod rights;
mod runbook;
mod scale;
mod settling;
mod shutdown;
mod signatures;
mod source;
mod stores;
mod suspend;
mod svg;
mod target;
mod ttl;
mod turns;
mod undecodable;
mod workloads;
mod writes;

use futures::FutureExt;

use crate::{
    harness::{invariants, test_cluster::TestCluster},
    suite::{Suite, Tests},
};

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "matrix",
        threads: 12,
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| invariants::checked(test(cluster)).boxed_local(),
        last: Some((
            "rights::the_verbs_that_are_granted_are_those_that_are_used",
            rights::compare,
        )),
        tests: tests(),
    }
}

fn tests() -> Vec<Tests<TestCluster>> {
    // Slow tests first, so that the others run beside them.
    vec![
        scale::tests(),
        leadership::tests(),
        disaster_recovery::tests(),
        operations::tests(),
        runbook::tests(),
        settling::tests(),
        rejected::tests(),
        signatures::tests(),
        turns::tests(),
        controlled::tests(),
        bursts::tests(),
        interval::tests(),
        stores::tests(),
        publish::tests(),
        quoting::tests(),
        source::tests(),
        formats::tests(),
        credentials_file::tests(),
        aws::tests(),
        pins::tests(),
        crate::harness::invariants::tests(),
        target::tests(),
        ttl::tests(),
        ownership::tests(),
        access::tests(),
        adoption::tests(),
        lifecycle::tests(),
        digest::tests(),
        classes::tests(),
        labels::tests(),
        leftovers::tests(),
        rename::tests(),
        suspend::tests(),
        writes::tests(),
        process::tests(),
        shutdown::tests(),
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
        restarts_not_allowed::tests(),
        costs::tests(),
    ]
}
