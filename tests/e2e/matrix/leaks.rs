//! No secret leaves the operator except in the target.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts;
use serde_json::json;

use crate::{
    harness::test_env::{ACCOUNT, PAIR, SECOND, TestCluster, TestEnv},
    suite::tests,
};

tests![
    a21_nothing_secret_is_logged_as_text,
    a21_nothing_secret_is_logged_as_json,
];

/// A pair whose secret is rejected.
const REFUSED: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2C5",
    "wSecretOfTheRefusedPair=wSecretOfTheRef3",
);

async fn a21_nothing_secret_is_logged_as_text(test_cluster: Arc<TestCluster>) -> Result<()> {
    nothing_leaks(test_cluster, "text").await
}

async fn a21_nothing_secret_is_logged_as_json(test_cluster: Arc<TestCluster>) -> Result<()> {
    nothing_leaks(test_cluster, "json").await
}

async fn nothing_leaks(test_cluster: Arc<TestCluster>, format: &str) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.flag("--log-format", format);
    env.start_operator().await?;
    let echo = format!("the secret {} was refused", REFUSED.1);
    env.sts.answer(
        REFUSED.0,
        sts::Answer::error(403, "SignatureDoesNotMatch", &echo),
    );
    env.source("pair", PAIR).await?;
    env.resource(
        "orders",
        "pair",
        json!({ "validation": { "accountId": ACCOUNT } }),
    )
    .await?;
    env.until_converged("orders").await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    env.delete_secret("orders-credentials").await?;
    env.until_converged("orders").await?;
    env.source("pair", REFUSED).await?;
    env.until_status("orders", "Ready", "False", "SignatureMismatch")
        .await?;
    let malformed = format!("{}\n", PAIR.1);
    env.source("pair", (PAIR.0, &malformed)).await?;
    env.until_status("orders", "Ready", "False", "TrailingNewline")
        .await?;
    env.source("pair", (PAIR.1, PAIR.0)).await?;
    env.until_status("orders", "Ready", "False", "ValuesSwapped")
        .await?;
    env.until_idle().await?;
    let cluster = env.test_cluster.cluster();
    let shown = [
        "get",
        "staticawscredentials,events.v1.events.k8s.io",
        "-n",
        &env.namespace,
        "-o",
        "yaml",
    ];
    let shown = cluster.kubectl(&shown).await?;
    let metrics = env.get_http("/metrics").await?;
    let log = env.log()?;
    assert!(log.contains("starting"));
    for (id, secret) in [PAIR, SECOND, REFUSED] {
        for (what, text) in [("log", &log), ("cluster", &shown), ("metrics", &metrics)] {
            for form in forms(secret).into_iter().chain([id.to_owned()]) {
                assert!(!text.contains(&form), "{form} stands in the {what}: {text}");
            }
        }
    }
    Ok(())
}

/// A secret in every encoding in which it may leak, and its first 16 characters.
fn forms(secret: &str) -> Vec<String> {
    let part: String = secret.chars().take(16).collect();
    let whole = cluster::leak_check::forms(secret.as_bytes());
    whole.into_iter().chain([part]).collect()
}
