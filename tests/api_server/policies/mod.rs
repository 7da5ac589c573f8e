//! The chart's admission policies on a real API server, with real accounts. The operator's account is bound to
//! cluster-admin on purpose: every rejection comes from the policies alone.

mod api_check;
mod attempt;
mod bound;
mod checked;
mod fence;
mod fence_adoption;
mod fence_content;
mod fence_creates;
mod fence_updates;
mod guards;
mod injection;
mod injection_hot;
mod injection_hot_program;
mod injection_hot_refused;
mod injection_qos;
mod injection_refused;
mod injection_where;
mod life;
mod only;
mod requester;
mod requester_changes;
mod restarts;
mod status;
mod test_cluster;

use futures::FutureExt;

use crate::{
    harness::version::Feature,
    policies::test_cluster::TestCluster,
    suite::{Suite, Tests},
};

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "policies",
        threads: 6,
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| test(cluster),
        last: None,
        tests: vec![
            fence::tests(),
            fence_content::tests(),
            fence_creates::tests(),
            fence_updates::tests(),
            fence_adoption::tests(),
            only::tests(),
            bound::tests(),
            status::tests(),
            requester::tests(),
            requester_changes::tests(),
            restarts::tests(),
            life::tests(),
            injection_tests(),
            checked::tests(),
            guards::tests(),
            api_check::tests(),
        ],
    }
}

/// None on an API server that lacks what the injection needs.
fn injection_tests() -> Tests<TestCluster> {
    let all = [
        injection::tests(),
        injection_where::tests(),
        injection_refused::tests(),
        injection_hot::tests(),
        injection_hot_program::tests(),
        injection_hot_refused::tests(),
        injection_qos::tests(),
    ];
    if Feature::Injection.is_served() {
        all.into_iter().flatten().collect()
    } else {
        Vec::new()
    }
}
