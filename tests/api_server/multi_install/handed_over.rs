//! A release whose policies an administrator applies, and the output on API servers without policies.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::{
    harness::{
        helm::{CHART, TestCluster, assert_refused},
        version::{self, Feature},
    },
    suite::tests,
};

tests![
    an_administrator_applies_what_the_notes_tell,
    a_release_without_policies_says_so,
    what_the_api_server_lacks_is_left_out_or_refused,
];

async fn an_administrator_applies_what_the_notes_tell(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("handed").await?;
    let args = [
        "--set",
        "policies.create=false",
        "--set",
        version::injection(),
    ];
    let notes = test_cluster.install("handed", &namespace, &args).await?;
    assert_eq!(
        test_cluster.policies("validatingadmissionpolicies").await?,
        Vec::<String>::new()
    );
    assert!(
        notes.contains("WARNING: the admission policies are NOT part of this release"),
        "{notes}"
    );

    // The commands of the notes, unchanged.
    let (_, flags) = notes
        .split_once("  helm get values")
        .context(notes.clone())?;
    let (flags, _) = flags
        .split_once("and deletes them")
        .context(notes.clone())?;
    let script = format!("helm get values{flags}").replace(" CHART ", &format!(" {CHART} "));
    let written = test_cluster.shell(&script).await?;
    assert!(
        written.contains("static-aws-credentials-fence serverside-applied"),
        "{written}"
    );
    let expected = version::validating_policies();
    assert_eq!(
        test_cluster.policies("validatingadmissionpolicies").await?,
        expected
    );
    if Feature::Injection.is_served() {
        assert_eq!(
            test_cluster.policies("mutatingadmissionpolicies").await?,
            ["static-aws-credentials-inject"]
        );
    }
    test_cluster
        .shell("kubectl delete --filename policies.yaml")
        .await
        .map(drop)
}

async fn a_release_without_policies_says_so(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("bare").await?;
    let notes = test_cluster
        .install("bare", &namespace, &["--set", "policies.enabled=false"])
        .await?;
    assert!(
        notes.contains("WARNING: there are no admission policies (policies.enabled is false)"),
        "{notes}"
    );
    assert!(
        notes.contains("gets the pair of ANY Secret in its namespace"),
        "{notes}"
    );
    assert_eq!(
        test_cluster.policies("validatingadmissionpolicies").await?,
        Vec::<String>::new()
    );
    Ok(())
}

async fn what_the_api_server_lacks_is_left_out_or_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    // An API server that reports its kinds and has no policies.
    let lacking = [
        "template",
        "r",
        CHART,
        "--namespace",
        "aws",
        "--api-versions",
        "v1/Pod",
    ];
    let rendered = test_cluster.helm(&lacking).await?;
    assert!(!rendered.contains("AdmissionPolicy"), "{rendered}");
    let answer = test_cluster
        .helm(&[&lacking[..], &["--set", "policies.enabled=true"]].concat())
        .await;
    assert_refused(
        &answer,
        "policies.enabled: is true, and this API server has no ValidatingAdmissionPolicy",
    );
    let answer = test_cluster
        .helm(&[&lacking[..], &["--set", "injection.enabled=true"]].concat())
        .await;
    assert_refused(
        &answer,
        "injection.enabled: is true, and this API server has no MutatingAdmissionPolicy",
    );
    let notes = [
        "install",
        "r",
        CHART,
        "--dry-run=client",
        "--namespace",
        "aws",
        "--set",
        "policies.enabled=auto",
    ];
    assert!(
        test_cluster
            .helm(&notes)
            .await?
            .contains("kubectl get validatingadmissionpolicies")
    );

    // Rendered without an API server: the Kubernetes version decides.
    let offline = [
        "template",
        "r",
        CHART,
        "--namespace",
        "aws",
        "--kube-version",
    ];
    let with = async |more: &[&str]| test_cluster.helm(&[&offline[..], more].concat()).await;
    assert!(
        with(&["1.35.0"])
            .await?
            .contains("kind: ValidatingAdmissionPolicy\n")
    );
    assert!(
        !with(&["1.36.0"])
            .await?
            .contains("kind: MutatingAdmissionPolicy\n")
    );
    assert!(
        with(&["1.36.0", "--set", "injection.enabled=true"])
            .await?
            .contains("kind: MutatingAdmissionPolicy\n")
    );
    let answer = with(&["1.35.0", "--set", "injection.enabled=true"]).await;
    assert_refused(
        &answer,
        "injection.enabled: is true, and this API server has no MutatingAdmissionPolicy",
    );
    let answer = with(&["1.36.0", "--set", "scope.namespaces={kube-system}"]).await;
    assert_refused(
        &answer,
        "scope.namespaces: names kube-system, which policies.systemNamespaces guards",
    );
    Ok(())
}
