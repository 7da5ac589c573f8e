//! Several releases of the chart in one cluster, by a real Helm, with the rights that the chart grants.

mod cluster_scope;
mod handed_over;
mod namespaces;

use std::sync::Arc;

use futures::FutureExt;

use crate::{harness::helm::TestCluster, suite::Suite};

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "multi_install",
        // The tests install cluster-scoped objects, which would conflict.
        threads: 1,
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| {
            async move {
                test(Arc::clone(&cluster)).await?;
                cluster.uninstall_all().await
            }
            .boxed_local()
        },
        last: None,
        tests: vec![
            cluster_scope::tests(),
            namespaces::tests(),
            handed_over::tests(),
        ],
    }
}
