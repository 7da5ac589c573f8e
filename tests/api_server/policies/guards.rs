//! How the operator detects the policies, on separate control planes, since the tests add and remove policies.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use clap::Parser as _;
use cluster::{
    chart,
    control_plane::{ControlPlane, Options},
};
use kube::Client;
use serde_json::json;
use static_aws_credentials::{
    cli::args::Cli,
    ops::{health::Notes as _, metrics::Policies},
    runtime::guards::Guards,
};

use crate::{
    harness::operator::{Operator, PAIRS},
    policies::test_cluster::{
        CRD, PATIENCE, POD, RELEASE, RELEASE_NAMESPACE, TestCluster, client_of_pod,
    },
    suite::tests,
};

tests![
    the_leader_sees_which_policies_are_enforced,
    policies_that_are_ignored_are_not_taken_for_enforced,
    nothing_is_written_before_the_policies_are_seen,
];

const PREFIX: [&str; 2] = ["--policies", RELEASE];

/// A control plane with the chart's account and only the chart's rights. The tests apply the policies later.
pub async fn begin() -> Result<ControlPlane> {
    let cluster = ControlPlane::start(Options::default()).await?;
    cluster.define(CRD).await?;
    cluster
        .kubectl(&["create", "namespace", RELEASE_NAMESPACE])
        .await?;
    let templates = [
        "serviceaccount",
        "clusterrole",
        "lease-role",
        "policies/reader",
    ];
    apply(&cluster, &templates).await?;
    Ok(cluster)
}

async fn apply(cluster: &ControlPlane, templates: &[&str]) -> Result<()> {
    let rendered = chart::rendered(RELEASE, RELEASE_NAMESPACE, &[], templates).await?;
    cluster.apply(&rendered).await.map(drop)
}

/// Repeats the check until each policy is reported with these words.
async fn until_seen(guards: &Guards, client: &Client, words: &[(&str, &str)]) -> Result<()> {
    let began = Instant::now();
    loop {
        guards.check(client).await;
        let lines = guards.lines();
        let seen = words.iter().all(|(policy, words)| {
            let line = format!("policy {RELEASE}-{policy} {words}");
            lines.lines().any(|seen| seen.starts_with(&line))
        });
        if seen {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "not seen: {words:?}\n{lines}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn the_leader_sees_which_policies_are_enforced(_: Arc<TestCluster>) -> Result<()> {
    let cluster = begin().await?;
    let client = client_of_pod(&cluster, POD).await?;
    let args = Cli::try_parse_from([&["static-aws-credentials"][..], &PREFIX].concat())?;
    let guards = Guards::new(
        &args.run.expected_policies(RELEASE_NAMESPACE),
        Policies::default(),
    );
    let absent = [
        "is NOT seen to be enforced: it does not exist",
        "is NOT seen to be enforced: its ValidatingAdmissionPolicyBinding does not exist",
    ];
    let all = |words| ["requester", "status", "fence", "only"].map(|policy| (policy, words));
    until_seen(&guards, &client, &all(absent[0])).await?;

    apply(&cluster, &["policies/*"]).await?;
    until_seen(&guards, &client, &all("is enforced")).await?;

    let kind = "validatingadmissionpolicybinding";
    let named = |policy: &str| format!("{RELEASE}-{policy}");
    for policy in ["fence", "only"] {
        cluster.kubectl(&["delete", kind, &named(policy)]).await?;
    }
    let relaxed = json!({ "spec": { "validationActions": ["Audit"] } }).to_string();
    let patch = [
        "patch",
        kind,
        &named("requester"),
        "--type=merge",
        "-p",
        &relaxed,
    ];
    cluster.kubectl(&patch).await?;
    let relaxed_so = [
        (
            "requester",
            "is NOT seen to be enforced: its ValidatingAdmissionPolicyBinding does not deny",
        ),
        ("status", "is enforced"),
        ("fence", absent[1]),
        ("only", absent[1]),
    ];
    until_seen(&guards, &client, &relaxed_so).await?;

    let reader = format!("{RELEASE}-policy-reader");
    cluster
        .kubectl(&["delete", "clusterrolebinding", &reader])
        .await?;
    until_seen(
        &guards,
        &client,
        &[("status", "is NOT seen to be enforced: ")],
    )
    .await?;
    let lines = guards.lines();
    ensure!(
        lines.contains("grant get on static-aws-credentials-status"),
        "{lines}"
    );

    for kind in ["secrets", "events.events.k8s.io"] {
        let all = ["get", kind, "--all-namespaces", "-o", "name"];
        let left = cluster.kubectl(&all).await?;
        ensure!(!left.contains("policy-check"), "{left}");
    }
    Ok(())
}

/// Like an API server without the admission plugin: policies and bindings exist, and have no effect.
async fn policies_that_are_ignored_are_not_taken_for_enforced(_: Arc<TestCluster>) -> Result<()> {
    let cluster = begin().await?;
    let client = client_of_pod(&cluster, POD).await?;
    let args = Cli::try_parse_from([&["static-aws-credentials"][..], &PREFIX].concat())?;
    let guards = Guards::new(
        &args.run.expected_policies(RELEASE_NAMESPACE),
        Policies::default(),
    );
    apply(&cluster, &["policies/*"]).await?;
    until_seen(
        &guards,
        &client,
        &[("fence", "is enforced"), ("only", "is enforced")],
    )
    .await?;
    let nothing =
        r#"[{"op":"replace","path":"/spec/matchConditions/0/expression","value":"false"}]"#;
    let ignored =
        "is NOT seen to be enforced: policy and binding are correct, but the API server accepted";
    let kind = "validatingadmissionpolicy";
    for (policy, others) in [("fence", "is enforced"), ("only", ignored)] {
        let name = format!("{RELEASE}-{policy}");
        let patch = ["patch", kind, &name, "--type=json", "-p", nothing];
        cluster.kubectl(&patch).await?;
        let seen = [(policy, ignored), ("requester", others), ("status", others)];
        until_seen(&guards, &client, &seen).await?;
    }
    Ok(())
}

async fn nothing_is_written_before_the_policies_are_seen(_: Arc<TestCluster>) -> Result<()> {
    let cluster = begin().await?;
    let namespace = cluster.namespace("orders").await?;
    let flags = [&PREFIX[..], &["--require-policies"]].concat();
    let pod = (RELEASE_NAMESPACE, RELEASE, POD);
    let operator = Operator::start(&cluster, pod, &namespace, &flags).await?;
    operator.source("pair", PAIRS[0]).await?;
    operator.resource("orders", json!({})).await?;
    let object = operator.until_ready_is("orders", "PoliciesMissing").await?;
    let conditions = object.status.map(|status| status.conditions);
    let text = format!("{conditions:?}");
    let words = "nothing is written, since --require-policies is set and ValidatingAdmissionPolicy static-aws-credentials-requester is not seen to be enforced: it does not exist";
    ensure!(text.contains(words), "{text}");
    let target = operator.secrets.get_opt("orders-credentials").await?;
    ensure!(target.is_none(), "it was written");

    apply(&cluster, &["policies/*"]).await?;
    operator.until_ready_is("orders", "Published").await?;
    operator
        .until_target("orders-credentials", PAIRS[0], |_| true)
        .await
        .map(drop)
}
