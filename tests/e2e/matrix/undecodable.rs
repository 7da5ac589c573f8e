//! A resource that the operator cannot decode, such as one of a later version.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::proxy::{Fault, Rewrite};
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition, message},
    },
    suite::tests,
};

tests![
    f26_one_resource_that_does_not_decode_stops_no_other,
    f26_an_undecodable_resource_keeps_its_target,
    a_spec_that_the_schema_would_refuse_is_named_in_a_condition,
    a_spec_that_was_not_understood_is_applied_once_it_is,
];

/// Corrupts every resource with an interval of 7 minutes on its way to the operator.
fn spoil() -> Rewrite {
    replacing(r#""interval":"7m""#, r#""interval":[7]"#)
}

fn replacing(words: &'static str, others: &'static str) -> Rewrite {
    Box::new(move |line| {
        let text = String::from_utf8_lossy(line);
        text.replace(words, others).into_bytes()
    })
}

fn spoiled(env: &TestEnv) {
    env.proxy.set_fault(Box::new(|head| {
        if head.resource == "staticawscredentials" && !head.verb.writes() {
            Fault::Lines(spoil())
        } else {
            Fault::Pass
        }
    }));
}

async fn f26_one_resource_that_does_not_decode_stops_no_other(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.resource(
        "spoiled",
        "pair",
        json!({ "validation": { "interval": "7m" } }),
    )
    .await?;
    env.resource("orders", "pair", json!({})).await?;
    spoiled(&env);
    env.start_operator().await?;
    env.until_converged("orders").await?;
    env.resource("later", "pair", json!({})).await?;
    env.until_converged("later").await?;
    for (kind, status) in [("Ready", "False"), ("Stalled", "True")] {
        env.until_condition("spoiled", kind, status, "Undecodable")
            .await?;
    }
    env.until("an event tells of it", async || {
        let reasons = env.event_reasons("spoiled").await?;
        Ok(reasons.contains(&"Undecodable".to_owned()).then_some(()))
    })
    .await?;
    let metrics = env.get_http("/metrics").await?;
    let terminal =
        "controller_runtime_terminal_reconcile_errors_total{controller=\"staticawscredentials\"} ";
    for series in ["staticawscredentials_undecodable_total ", terminal] {
        let mut lines = metrics.lines();
        let count = lines.find_map(|line| line.strip_prefix(series));
        assert!(count.is_some_and(|count| count != "0"), "{metrics}");
    }
    assert!(env.log()?.contains("cannot be decoded"));
    assert!(env.secrets.get_opt("spoiled-credentials").await?.is_none());
    assert!(env.get_http("/readyz").await?.starts_with("HTTP/1.1 200"));
    Ok(())
}

async fn f26_an_undecodable_resource_keeps_its_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let spec = json!({ "validation": { "interval": "7m" } });
    let mut env = TestEnv::settled_with(test_cluster, spec).await?;
    let before = env.version(TARGET).await?;
    env.stop_operator();
    spoiled(&env);
    env.start_operator().await?;
    env.resource("rival", "pair", json!({ "target": { "name": TARGET } }))
        .await?;
    env.until_status("rival", "Ready", "False", "TargetConflict")
        .await?;
    let object = env
        .until_status("orders", "Ready", "False", "Undecodable")
        .await?;
    let (_, verified) = condition(&object, "Verified").context("Verified")?;
    assert_eq!(
        verified, "IdentityVerified",
        "what was said of the pair stays"
    );
    assert_eq!(env.version(TARGET).await?, before);

    // The status already reports it, so a new process does not write it again.
    env.stop_operator();
    let mark = env.proxy.mark();
    env.start_operator().await?;
    let costs = env.costs(mark).await?;
    let writes = costs.writes.get("staticawscredentials/status");
    assert_eq!(writes, None, "{costs:?}");

    env.proxy.clear_fault();
    env.stop_operator();
    env.start_operator().await?;
    env.until_status("orders", "Ready", "True", "Published")
        .await?;
    assert_eq!(env.version(TARGET).await?, before);
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    Ok(())
}

/// As if a CRD without bounds had accepted the spec.
async fn a_spec_that_the_schema_would_refuse_is_named_in_a_condition(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    let before = env.version(TARGET).await?;
    env.proxy.set_fault(Box::new(|head| {
        if head.resource == "staticawscredentials" && !head.verb.writes() {
            Fault::Lines(replacing(r#""interval":"8m""#, r#""interval":"8s""#))
        } else {
            Fault::Pass
        }
    }));
    env.stop_operator();
    env.start_operator().await?;
    let interval = |interval: &str| json!({ "validation": { "interval": interval } });
    env.change("orders", interval("8m")).await?;
    let object = env
        .until_status("orders", "Ready", "False", "SpecInvalid")
        .await?;
    let problem = message(&object, "Ready");
    assert!(
        problem.starts_with("spec.validation.interval: "),
        "{problem}"
    );
    assert!(condition(&object, "Stalled").is_some());
    assert_eq!(env.version(TARGET).await?, before);
    env.change("orders", interval("9m")).await?;
    env.until_status("orders", "Ready", "True", "Published")
        .await?;
    Ok(())
}

/// The status has the generation of the spec, but the target is older.
async fn a_spec_that_was_not_understood_is_applied_once_it_is(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    spoiled(&env);
    env.stop_operator();
    env.start_operator().await?;
    let spec = json!({
        "validation": { "interval": "7m" }, "target": { "keys": { "further": "AccessKeyId" } },
    });
    env.change("orders", spec).await?;
    env.until_status("orders", "Ready", "False", "Undecodable")
        .await?;
    env.proxy.clear_fault();
    env.stop_operator();
    env.start_operator().await?;
    env.until_converged("orders").await?;
    let content = env.content(TARGET).await?;
    assert_eq!(content.get("further").map(String::as_str), Some(PAIR.0));
    Ok(())
}
