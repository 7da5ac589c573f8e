//! Faults of STS and of the network to STS: a published target stays byte for byte the same, a new
//! pair is not published, the status gives the reason, and everything recovers when STS does.

mod rows;

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::{
    sts::{Answer, Certificate, Sts},
    tools,
};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;

use crate::{
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        steps::{REJECTION_CACHED, numbered},
        test_env::{ACCOUNT, ARN, PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    report,
    suite::tests,
};
use rows::{Row, answers, outages};

/// Concurrent environments, each of which has an operator.
const ENVIRONMENTS_AT_ONCE: usize = 6;

tests![
    s1_s2_s3_s4_no_answer_changes_what_is_published,
    s3_no_network_changes_what_is_published,
    s6_a_skewed_clock_refuses_nothing,
];

async fn s1_s2_s3_s4_no_answer_changes_what_is_published(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (answers, outages) = (answers(), outages());
    // 10 answers per environment, each with 3 numbered pairs: pairs 0 to 29, and `heal` uses pair 30. An outage affects
    // the whole endpoint and has one reason for all pairs, so each outage has a separate environment.
    let groups = answers.chunks(10).chain(outages.chunks(1));
    let finished = stream::iter(groups).map(async |rows| {
        let mut env = TestEnv::before_start(Arc::clone(&test_cluster)).await?;
        env.flag("--sts-rate", "50");
        env.start_operator().await?;
        run(&env, rows).await
    });
    finished
        .buffer_unordered(ENVIRONMENTS_AT_ONCE)
        .try_collect::<()>()
        .await?;
    let tried = 3 * (answers.len() + outages.len());
    let test = "s1_s2_s3_s4_no_answer_changes_what_is_published";
    report::tried(
        test,
        tried,
        tried,
        "answers, about a new pair with and without a target, and about a published one",
    );
    Ok(())
}

/// Each row has a resource that has published, one that never has, and one whose published pair is
/// verified again.
async fn run(env: &TestEnv, rows: &[Row]) -> Result<()> {
    let mut before = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let [first, _, again] = pairs(number);
        for (name, pair) in [("old", &first), ("again", &again)] {
            env.accept((&pair.0, &pair.1));
            let name = format!("{name}-{number}");
            env.source(&name, (&pair.0, &pair.1)).await?;
            env.resource(&name, &name, json!({})).await?;
            env.until_converged(&name).await.context(row.what)?;
        }
        before.push(target(env, "old", number).await?);
    }
    for (number, row) in rows.iter().enumerate() {
        let [_, second, again] = pairs(number);
        for pair in [&second, &again] {
            env.sts.answer(&pair.0, row.answer.clone());
        }
        for name in ["old", "new"] {
            env.source(&format!("{name}-{number}"), (&second.0, &second.1))
                .await?;
        }
        let new = format!("new-{number}");
        env.resource(&new, &new, json!({})).await?;
        env.change(
            &format!("again-{number}"),
            json!({ "region": "eu-central-1" }),
        )
        .await?;
    }
    for (number, row) in rows.iter().enumerate() {
        for name in ["old", "new"] {
            let (name, kind) = (format!("{name}-{number}"), "Ready");
            env.until_status(&name, kind, "False", row.reason)
                .await
                .context(row.what)?;
        }
        let again = format!("again-{number}");
        env.until_condition(&again, "Verified", "Unknown", row.doubt)
            .await
            .context(row.what)?;
        let held = target(env, "again", number).await?.context(row.what)?;
        assert_eq!(key_id(&held), pairs(number)[2].0, "{}", row.what);
        assert_eq!(
            target(env, "old", number).await?,
            before[number],
            "{}",
            row.what
        );
        assert_eq!(target(env, "new", number).await?, None, "{}", row.what);
    }
    heal(env, rows).await
}

/// STS accepts all pairs again. A rejected pair (`is_final`) is replaced by another.
async fn heal(env: &TestEnv, rows: &[Row]) -> Result<()> {
    tokio::time::sleep(REJECTION_CACHED).await;
    let other = numbered(30);
    env.accept((&other.0, &other.1));
    let mut healed = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let [_, second, again] = pairs(number);
        let second = if row.is_final { other.clone() } else { second };
        env.accept((&second.0, &second.1));
        env.accept((&again.0, &again.1));
        for (name, pair) in [("old", &second), ("new", &second), ("again", &again)] {
            let name = format!("{name}-{number}");
            if row.is_final && *pair == other {
                env.source(&name, (&pair.0, &pair.1)).await?;
            } else {
                env.touch(&name).await?;
            }
            healed.push((row.what, name, pair.0.clone()));
        }
    }
    for (what, name, id) in healed {
        let verified = env.until_condition(&name, "Verified", "True", "IdentityVerified");
        verified.await.context(what)?;
        env.until_converged(&name).await.context(what)?;
        assert_eq!(
            env.key_id(&format!("{name}-credentials")).await?,
            id,
            "{what}"
        );
    }
    Ok(())
}

fn pairs(number: usize) -> [(String, String); 3] {
    [0, 1, 2].map(|part| numbered(3 * number + part))
}

async fn target(env: &TestEnv, name: &str, number: usize) -> Result<Option<Secret>> {
    env.snapshot(&format!("{name}-{number}-credentials")).await
}

fn key_id(secret: &Secret) -> String {
    let data = secret.data.iter().flatten();
    let mut ids = data.filter(|(key, _)| *key == "AWS_ACCESS_KEY_ID");
    let id = ids
        .next()
        .map(|(_, id)| String::from_utf8_lossy(&id.0).into_owned());
    id.unwrap_or_default()
}

/// Endpoints that a restarted operator cannot reach or trust.
async fn s3_no_network_changes_what_is_published(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let local = std::net::IpAddr::from([127, 0, 0, 1]);
    let mut endpoints = vec![
        ("refused", "http://127.0.0.1:9".to_owned(), None),
        ("no such name", "https://sts.invalid".to_owned(), None),
        (
            "TLS to a server without TLS",
            env.sts.url().replace("http:", "https:"),
            None,
        ),
    ];
    let mut servers = Vec::new();
    for (what, kind) in [
        ("a certificate of another host", Certificate::WrongHost),
        ("an expired certificate", Certificate::Expired),
    ] {
        let (server, ca) = Sts::start_tls_on(local, kind).await?;
        server.accept(SECOND.0, ACCOUNT, ARN, "AIDAQUAIL");
        endpoints.push((what, server.url(), Some(ca)));
        servers.push(server);
    }
    let (server, _) = Sts::start_tls().await?;
    server.accept(SECOND.0, ACCOUNT, ARN, "AIDAQUAIL");
    endpoints.push(("a CA that nobody trusts", server.url(), None));
    servers.push(server);
    let directory = env.test_cluster.cluster().directory().to_owned();
    for (number, (what, url, ca)) in endpoints.iter().enumerate() {
        env.stop_operator();
        env.serve(&[&env.namespace.clone()]);
        env.flag("--sts-endpoint", url);
        if let Some(ca) = ca {
            let file = directory.join(format!("{}-{number}.pem", env.namespace));
            std::fs::write(&file, ca)?;
            env.flag("--sts-ca-file", &file.display().to_string());
        }
        env.source("pair", SECOND).await?;
        env.start_operator().await?;
        env.touch("pair").await?;
        let reported = env
            .until_status("orders", "Ready", "False", "StsUnreachable")
            .await;
        reported.context(*what)?;
        assert_eq!(env.snapshot(TARGET).await?, before, "{what}");
    }
    assert!(
        servers.iter().all(|server| server.calls().is_empty()),
        "a request went out"
    );
    env.stop_operator();
    env.serve(&[&env.namespace.clone()]);
    env.start_operator().await?;
    env.until_converged("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    let test = "s3_no_network_changes_what_is_published";
    survived(test, endpoints.len(), "networks");
    Ok(())
}

/// 10 minutes each way, more than AWS allows. The clock of the STS stand-in is right.
async fn s6_a_skewed_clock_refuses_nothing(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let before = env.version(TARGET).await?;
    for (skew, pair) in [(-600, SECOND), (600, PAIR)] {
        env.stop_operator();
        env.environment = tools::skewed_by(skew)?;
        env.start_operator().await?;
        assert_skewed(&env, skew)?;
        env.source("pair", pair).await?;
        env.until_converged("orders").await?;
        assert_eq!(env.key_id(TARGET).await?, pair.0);
    }
    let after = env.version(TARGET).await?;
    assert_eq!(before.0, after.0, "it was never recreated");
    for version in env.invariants.history("orders").await? {
        assert_eq!(
            condition(&version, "Stalled"),
            None,
            "{}",
            version.name_any()
        );
        let verified = condition(&version, "Verified").map(|(status, _)| status);
        assert_ne!(verified.as_deref(), Some("False"));
    }
    // A skew that AWS rejects is inconclusive too, and nothing is withdrawn.
    let skewed = "Signature expired: 20200101T000000Z is now earlier than 20200101T001000Z";
    env.sts.answer(
        SECOND.0,
        Answer::error(403, "SignatureDoesNotMatch", skewed),
    );
    env.source("pair", SECOND).await?;
    env.until_condition("orders", "Ready", "False", "ClockSkew")
        .await?;
    assert_eq!(env.version(TARGET).await?, after);
    survived("s6_a_skewed_clock_refuses_nothing", 2, "clocks");
    Ok(())
}

/// The timestamps of the log show the operator's clock.
fn assert_skewed(env: &TestEnv, skew: i64) -> Result<()> {
    let log = env.log()?;
    let time = log.split_whitespace().next().context("nothing is logged")?;
    let off = time.parse::<Timestamp>()?.as_second() - Timestamp::now().as_second();
    assert!((skew - 60..=skew + 60).contains(&off), "off by {off} s");
    Ok(())
}
