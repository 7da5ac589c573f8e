//! `check` and `api-check` as run by people and pipelines: the built program, a stand-in for STS that checks
//! signatures, and a real API server for the tests that need a cluster.

mod api;
mod asking;
mod cluster;
mod documentation;
mod forms;
mod invalid_manifests;
mod kustomize;
mod manifests;
mod operator;
mod oracle;
mod program;
mod rule_forms;
mod rules;
mod test_cluster;
mod undetermined;
mod usage;
mod verdicts;

use futures::FutureExt;

use crate::{check::test_cluster::TestCluster, suite::Suite};

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "check",
        threads: 8,
        start: || async { Ok(TestCluster::default()) }.boxed_local(),
        run: |cluster, test| test(cluster),
        last: None,
        tests: vec![
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
            invalid_manifests::tests(),
            usage::tests(),
            documentation::tests(),
        ],
    }
}
