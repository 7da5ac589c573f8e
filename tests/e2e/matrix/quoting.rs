//! The API server rejects the target and quotes it: the status gives the reason, briefly and without the pair.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use cluster::{
    leak_check::Canaries,
    proxy::{Answer, Fault, Verb},
};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::PostParams};
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, TestCluster, TestEnv, message},
    },
    suite::tests,
};

tests![
    a_policy_that_quotes_the_target_puts_no_pair_into_status_events_or_log,
    a_webhook_that_quotes_the_target_at_length_leaves_a_status_that_says_why,
    keys_that_are_longer_than_a_secret_takes_are_refused_by_their_field,
];

const MOST: usize = 1200;
/// A pair of a store other than AWS: nothing in it looks like key material.
const PLAIN: (&str, &str) = ("STOREUSEROFORDERS", "correct horse battery staple");

fn format_only() -> serde_json::Value {
    json!({ "validation": { "level": "Format" } })
}

/// Checks that the operator wrote no part of the pair, and that the messages name who rejected the target.
async fn refused_without_the_pair(env: &TestEnv, pair: (&str, &str), who: &str) -> Result<String> {
    let orders = env.until_stalled("orders", "TargetWriteRefused").await?;
    let canaries = Canaries::of(&[pair.0, pair.1])?;
    for kind in ["Ready", "Published", "Stalled"] {
        let text = message(&orders, kind);
        ensure!(
            text.contains(who) && text.contains("<redacted>"),
            "{kind}: {text}"
        );
        ensure!(text.len() <= MOST, "{} bytes: {text}", text.len());
        canaries.unshown(kind, &text)?;
    }
    let event = async || {
        let namespace = ["-n", &env.namespace];
        let get = ["get", "events", namespace[0], namespace[1], "-o", "yaml"];
        let events = env.test_cluster.cluster().kubectl(&get).await?;
        Ok(events.contains("TargetWriteRefused").then_some(events))
    };
    let events = env.until("an event says it", event).await?;
    canaries.unshown("an event", &events)?;
    canaries.unwritten(env.test_cluster.cluster()).await?;
    Ok(message(&orders, "Ready"))
}

async fn a_policy_that_quotes_the_target_puts_no_pair_into_status_events_or_log(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let name = format!("quotes-{}", env.namespace);
    let quote = r#""it holds " + object.data["AWS_SECRET_ACCESS_KEY"] + " and " + object.data["credentials"] + " at last""#;
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"],
                "operations": ["CREATE", "UPDATE"],
            }] },
            "matchConditions": [{ "name": "the-target", "expression":
                format!("request.namespace == '{}' && request.name == '{TARGET}'", env.namespace) }],
            "validations": [{ "expression": "false", "messageExpression": quote }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    });
    for document in [policy, binding] {
        env.test_cluster
            .cluster()
            .apply(&document.to_string())
            .await?;
    }
    let secrets: Api<Secret> = env.secrets.clone();
    let refused = async || {
        let target = json!({ "metadata": { "name": TARGET }, "stringData": {
            "AWS_SECRET_ACCESS_KEY": "a", "credentials": "b" } });
        let rehearsal = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let created = secrets
            .create(&rehearsal, &serde_json::from_value(target)?)
            .await;
        Ok(created
            .is_err_and(|error| error.to_string().contains("it holds YQ=="))
            .then_some(()))
    };
    env.until("the policy is in force", refused).await?;
    env.source("pair", PLAIN).await?;
    env.resource("orders", "pair", format_only()).await?;
    let text = refused_without_the_pair(&env, PLAIN, &name).await?;
    ensure!(
        text.contains("it holds <redacted> and <redacted> at last"),
        "{text}"
    );
    for kind in [
        "validatingadmissionpolicybinding",
        "validatingadmissionpolicy",
    ] {
        env.test_cluster
            .cluster()
            .kubectl(&["delete", kind, &name])
            .await?;
    }
    Ok(())
}

async fn a_webhook_that_quotes_the_target_at_length_leaves_a_status_that_says_why(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.proxy.set_fault(Box::new(|head| {
        if head.verb == Verb::Create && head.resource == "secrets" {
            let files = format!(
                "aws_access_key_id = {}, aws_secret_access_key = {} ",
                PLAIN.0, PLAIN.1
            );
            let text = format!(
                "admission webhook \"talks.example\" denied it: {}",
                files.repeat(1000)
            );
            Fault::Answer(Answer::status(403, "Forbidden", &text))
        } else {
            Fault::Pass
        }
    }));
    env.source("pair", PLAIN).await?;
    env.resource("orders", "pair", format_only()).await?;
    refused_without_the_pair(&env, PLAIN, "talks.example").await?;
    Ok(())
}

async fn keys_that_are_longer_than_a_secret_takes_are_refused_by_their_field(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    for length in [254, 5_000, 500_000] {
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": "orders" },
            "spec": {
                "secretRef": { "name": "pair" }, "region": "eu-west-1",
                "target": { "keys": { "k".repeat(length): "AccessKeyId" } },
            },
        });
        let object = serde_json::from_value(object)?;
        let parameters = PostParams::default();
        let created = env.resources.create(&parameters, &object).await;
        let refusal = created.err().context("it was taken")?;
        let text = refusal.to_string();
        ensure!(
            text.contains("spec.target.keys must have keys of at most 253 characters"),
            "{length}: {}",
            text.chars().take(300).collect::<String>()
        );
    }
    env.source("pair", PAIR).await?;
    let longest = "k".repeat(253);
    let keys = json!({ "target": { "keys": { longest.as_str(): "AccessKeyId" } } });
    env.resource("orders", "pair", keys).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?[&longest], PAIR.0);
    Ok(())
}
