//! `api-check`, which tests the policies as the account that runs it.

use std::{path::Path, process::Output, sync::Arc};

use anyhow::Result;
use serde_json::json;
use static_aws_credentials::cli::api_check;

use crate::{
    policies::{
        guards::begin,
        test_cluster::{RELEASE, TestCluster},
    },
    suite::tests,
};

tests![
    an_account_of_few_rights_is_refused_by_the_requester_policy,
    an_account_of_all_rights_reads_the_policies_and_tries_none,
    a_cluster_without_policies_is_found_out,
];

fn check(kubeconfig: &Path, namespace: &str) -> Result<(Option<i32>, String)> {
    let program = env!("CARGO_BIN_EXE_static-aws-credentials");
    let Output { status, stdout, .. } = std::process::Command::new(program)
        .args(["api-check", "-n", namespace, "--policies", RELEASE])
        .env("KUBECONFIG", kubeconfig)
        .output()?;
    Ok((status.code(), String::from_utf8(stdout)?))
}

#[track_caller]
fn assert_lines(output: &str, lines: &[&str]) {
    let mut actual = output.lines();
    for line in lines {
        assert!(
            actual.any(|actual| actual.starts_with(line)),
            "no {line:?} in its place:\n{output}"
        );
    }
}

async fn an_account_of_few_rights_is_refused_by_the_requester_policy(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster();
    let namespace = cluster.namespace("check").await?;
    let target = format!("{}-credentials", api_check::NAME);
    let rules = json!([
        { "apiGroups": ["awscredentials.dev"], "resources": ["staticawscredentials"], "verbs": ["create"] },
        { "apiGroups": [""], "resources": ["secrets"], "resourceNames": [api_check::SOURCE], "verbs": ["get"] },
        { "apiGroups": [""], "resources": ["secrets"], "resourceNames": [target], "verbs": ["create", "update"] },
    ]);
    test_cluster.account(&namespace, "checker", rules).await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "checker", None)
        .await?;
    let (code, output) = check(&kubeconfig, &namespace)?;
    let lines = [
        "ok    an interval of one minute is refused",
        "ok    policy static-aws-credentials-requester refuses a source that the account may not get",
        "ok    policy static-aws-credentials-requester refuses a target that the account may not write",
        "skip  policy static-aws-credentials-status is there, and denies: ",
        "skip  policy static-aws-credentials-fence is there, and denies: ",
        "skip  policy static-aws-credentials-only is there, and denies: ",
    ];
    assert_lines(&output, &lines);
    assert_eq!(code, Some(0), "{output}");
    let left = ["get", "awscreds,secrets", "-n", &namespace, "-o", "name"];
    assert_eq!(cluster.kubectl(&left).await?, "");
    Ok(())
}

async fn an_account_of_all_rights_reads_the_policies_and_tries_none(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster();
    let namespace = cluster.namespace("check").await?;
    let (code, output) = check(cluster.kubeconfig(), &namespace)?;
    let lines = [
        "skip  policy static-aws-credentials-requester refuses a source that the account may not get: this account may get every Secret",
        "skip  policy static-aws-credentials-requester refuses a target that the account may not write: this account may create and update every Secret",
        "ok    policy static-aws-credentials-status is there, and denies",
        "ok    policy static-aws-credentials-fence is there, and denies",
        "ok    policy static-aws-credentials-only is there, and denies",
    ];
    assert_lines(&output, &lines);
    assert_eq!(code, Some(0), "{output}");
    Ok(())
}

async fn a_cluster_without_policies_is_found_out(_: Arc<TestCluster>) -> Result<()> {
    let cluster = begin().await?;
    let namespace = cluster.namespace("check").await?;
    let kind = "--resource=staticawscredentials.awscredentials.dev";
    let scope = ["-n", &namespace];
    let role = ["create", "role", "checker", "--verb=create", kind];
    cluster.kubectl(&[&role[..], &scope].concat()).await?;
    let subject = format!("--serviceaccount={namespace}:default");
    let binding = [
        "create",
        "rolebinding",
        "checker",
        "--role=checker",
        &subject,
    ];
    cluster.kubectl(&[&binding[..], &scope].concat()).await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "default", None)
        .await?;
    let (code, output) = check(&kubeconfig, &namespace)?;
    let accepted = "it was accepted, although the account may not";
    let lines = [
        format!(
            "FAIL  policy static-aws-credentials-requester refuses a source that the account may not get: {accepted} get"
        ),
        format!(
            "FAIL  policy static-aws-credentials-requester refuses a target that the account may not write: {accepted} create"
        ),
    ];
    assert_lines(&output, &lines.each_ref().map(String::as_str));
    assert_eq!(code, Some(1), "{output}");
    Ok(())
}
