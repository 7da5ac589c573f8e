//! The API server's own type checking of the policies.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::{Api, ResourceExt, api::ListParams};

use crate::{
    harness::version::validating_policies,
    policies::test_cluster::{PATIENCE, TestCluster},
    suite::tests,
};

tests![the_api_server_has_nothing_to_say_against_the_policies];

async fn the_api_server_has_nothing_to_say_against_the_policies(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(test_cluster.admin());
    // Those of a release without restarts, and the policy of the restarts.
    let expected = validating_policies().len() + 1;
    let began = Instant::now();
    loop {
        let all = policies.list(&ListParams::default()).await?.items;
        let checked = |policy: &&ValidatingAdmissionPolicy| {
            let status = policy.status.as_ref();
            status.and_then(|status| status.observed_generation) == policy.metadata.generation
                && status.is_some_and(|status| status.type_checking.is_some())
        };
        if all.len() == expected && all.iter().filter(checked).count() == expected {
            for policy in all {
                let checking = policy
                    .status
                    .clone()
                    .and_then(|status| status.type_checking);
                let warnings = checking.and_then(|checking| checking.expression_warnings);
                assert!(
                    warnings.clone().unwrap_or_default().is_empty(),
                    "{}: {warnings:#?}",
                    policy.name_any()
                );
            }
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "not checked: {all:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
