//! A release that serves the whole cluster.

use std::sync::Arc;

use anyhow::Result;

use crate::{
    harness::{
        helm::{CHART, TestCluster, assert_refused},
        version::{self, Feature},
    },
    suite::tests,
};

tests![
    a_second_release_for_the_cluster_is_refused,
    a_release_for_a_namespace_beside_one_for_the_cluster_is_refused,
    a_release_is_upgraded_and_leaves_no_policy_behind,
];

async fn a_second_release_for_the_cluster_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let one = test_cluster.cluster().namespace("one").await?;
    let two = test_cluster.cluster().namespace("two").await?;
    test_cluster.install("first", &one, &[]).await?;
    // Helm's own message: an object with a fixed name belongs to one release.
    let answer = test_cluster.install("second", &two, &[]).await;
    assert_refused(&answer, "current value is \"first\"");
    // Without the policies the install is rejected too, since other objects also have fixed names.
    let answer = test_cluster
        .install("second", &two, &["--set", "policies.enabled=false"])
        .await;
    assert_refused(&answer, "current value is \"first\"");
    Ok(())
}

async fn a_release_for_a_namespace_beside_one_for_the_cluster_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let one = test_cluster.cluster().namespace("one").await?;
    let two = test_cluster.cluster().namespace("two").await?;
    test_cluster.install("whole", &one, &[]).await?;
    let scope = format!("scope.namespaces={{{two}}}");
    let answer = test_cluster.install("part", &two, &["--set", &scope]).await;
    let words = format!(
        "scope.namespaces: release whole in namespace {one} (ValidatingAdmissionPolicy static-aws-credentials-status) serves the whole cluster already"
    );
    assert_refused(&answer, &words);
    test_cluster.uninstall("whole", &one).await?;

    test_cluster
        .install("part", &two, &["--set", &scope])
        .await?;
    let answer = test_cluster.install("whole", &one, &[]).await;
    let words = format!(
        "scope.namespaces: is empty, which serves the whole cluster, and release part in namespace {two}"
    );
    assert_refused(&answer, &words);
    Ok(())
}

async fn a_release_is_upgraded_and_leaves_no_policy_behind(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let one = test_cluster.cluster().namespace("one").await?;
    test_cluster
        .install("whole", &one, &["--set", version::injection()])
        .await?;
    let upgrade = [
        "upgrade",
        "whole",
        CHART,
        "--namespace",
        &one,
        "--reuse-values",
        "--set",
        "replicas=3",
    ];
    test_cluster.helm(&upgrade).await?;
    let expected = version::validating_policies();
    assert_eq!(
        test_cluster.policies("validatingadmissionpolicies").await?,
        expected
    );
    assert_eq!(
        test_cluster
            .policies("validatingadmissionpolicybindings")
            .await?,
        expected
    );
    // From the whole cluster to a list, and back.
    let scope = format!("scope.namespaces={{{one}}}");
    let narrow = [
        "upgrade",
        "whole",
        CHART,
        "--namespace",
        &one,
        "--reuse-values",
        "--set",
        &scope,
    ];
    test_cluster.helm(&narrow).await?;
    let name = format!("static-aws-credentials-{one}-whole-status");
    assert!(
        test_cluster
            .policies("validatingadmissionpolicies")
            .await?
            .contains(&name)
    );
    test_cluster
        .helm(
            &upgrade[..5]
                .iter()
                .copied()
                .chain(["--reset-values", "--set", "crds.install=false"])
                .collect::<Vec<_>>(),
        )
        .await?;
    test_cluster.uninstall("whole", &one).await?;
    let mut kinds = vec![
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    ];
    if Feature::Injection.is_served() {
        kinds.extend([
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
        ]);
    }
    for kind in kinds {
        assert_eq!(
            test_cluster.policies(kind).await?,
            Vec::<String>::new(),
            "{kind}"
        );
    }
    Ok(())
}
