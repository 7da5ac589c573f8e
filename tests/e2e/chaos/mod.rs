//! Faults of the cluster, of STS and of the network, and abuse: whatever fails around the operator, it keeps its
//! guarantees. Most names of tests begin with the number of a fault in docs/reliability.md: F of the cluster, S of STS,
//! A of abuse.

mod abuse;
mod abuse_bursts;
mod abuse_words;
mod access;
mod cluster_outage;
mod concurrent_edits;
mod counts;
mod crash_points;
mod layouts;
mod load;
mod memory;
mod outcome;
mod replicas;
mod resident;
mod restored;
mod sequences;
mod server;
mod stale;
mod sts_faults;
mod target_history;
mod waiting;
mod watch;
mod watch_fault_proxy;

use futures::FutureExt;

use crate::{
    harness::{invariants, test_cluster::TestCluster},
    suite::{Suite, Tests},
};

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "chaos",
        threads: 12,
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| invariants::checked(test(cluster)).boxed_local(),
        last: None,
        tests: tests(),
    }
}

fn tests() -> Vec<Tests<TestCluster>> {
    vec![
        // Slow tests first.
        cluster_outage::tests(),
        restored::tests(),
        crash_points::tests(),
        access::tests(),
        replicas::tests(),
        stale::tests(),
        sequences::tests(),
        concurrent_edits::tests(),
        load::tests(),
        waiting::tests(),
        abuse::tests(),
        abuse_bursts::tests(),
        abuse_words::tests(),
        memory::tests(),
        server::tests(),
        sts_faults::tests(),
        watch::tests(),
    ]
}
