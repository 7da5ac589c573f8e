//! How `GitOps` tools and pipelines read a resource: kstatus as Flux and cli-utils compute it, Argo CD's health by the
//! script in `contrib/`, `kubectl wait`, and the examples of docs/gitops.md. All tests use objects of a real API server
//! that the operator brought into each state.
//!
//! `UPDATE_ARGOCD=1 cargo test --test api_server gitops` rewrites the script's test data from those objects.

mod argo_cd;
mod examples;
mod kstatus;
mod readers;
mod states;
mod test_cluster;
mod waiting;

use futures::FutureExt;

use crate::{gitops::test_cluster::TestCluster, suite::Suite};

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "gitops",
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| test(cluster),
        last: None,
        tests: vec![
            argo_cd::tests(),
            kstatus::tests(),
            waiting::tests(),
            examples::tests(),
        ],
    }
}
