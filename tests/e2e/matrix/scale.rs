//! Many resources and many rotations. Figures are printed, not checked: they depend on the machine and the build.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use cluster::{
    proxy::{Counts, Verb},
    sts,
};
use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    harness::{
        actions::assert_silent,
        test_env::{ACCOUNT, ARN, PAIR, TestCluster, TestEnv, condition},
    },
    suite::tests,
};

tests![
    a_restart_with_500_resources_costs_nothing_but_pages,
    a_hundred_rotations_each_cost_one_read_and_two_writes,
];

/// The resident memory of the process, in MiB.
fn resident(env: &TestEnv) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", env.operator()?.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.context("no VmRSS")?.trim().parse()?;
    Ok(kib / 1024.0)
}

const PAIRS: usize = 20;

/// 20 good pairs, a bad one, and 500 resources: 1 in 10 names the bad source, and 1 in 10 an absent source.
async fn create_all(env: &TestEnv) -> Result<()> {
    for number in 0..PAIRS {
        let letter = char::from(b'A' + u8::try_from(number)?);
        let id = format!("AKIARZPUZDIKQUAIL2{letter}5");
        let secret = format!("wSecretOfOneOfManyPairs+wSecretOfOneOf{number:02}");
        env.sts.accept_pair(&id, &secret, ACCOUNT, ARN, "AIDAQUAIL");
        env.source(&format!("pair-{number}"), (&id, &secret))
            .await?;
    }
    env.secret("bad", &[("AWS_ACCESS_KEY_ID", b"AKIA")]).await?;
    let create = async |number: usize| {
        let source = match number % 10 {
            0 => "bad".to_owned(),
            1 => "absent".to_owned(),
            _ => format!("pair-{}", number % PAIRS),
        };
        let object: StaticAwsCredentials = serde_json::from_value(json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": format!("many-{number:03}") },
            "spec": { "secretRef": { "name": source }, "region": "eu-west-1" },
        }))?;
        env.resources
            .create(&PostParams::default(), &object)
            .await?;
        anyhow::Ok(())
    };
    let numbers = stream::iter((0..500).map(create));
    numbers.buffer_unordered(16).try_collect::<()>().await
}

async fn until_all_rest(env: &TestEnv) -> Result<()> {
    env.until("every resource has a verdict", async || {
        let objects = env.resources.list(&ListParams::default()).await?.items;
        let with = |reason: &str| {
            objects
                .iter()
                .filter(|object| {
                    condition(object, "Ready").is_some_and(|(_, actual)| actual == reason)
                })
                .count()
        };
        let rest = with("Published") == 400
            && with("SourceKeyMissing") == 50
            && with("SourceNotFound") == 50;
        Ok(rest.then_some(()))
    })
    .await?;
    env.until_idle().await?;
    Ok(())
}

async fn a_restart_with_500_resources_costs_nothing_but_pages(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.flag("--log", "info");
    env.flag("--sts-rate", "100");
    env.start_operator().await?;
    eprintln!(
        "figure: {:.1} MiB resident without resources ({BUILD})",
        resident(&env)?
    );
    let began = Instant::now();
    create_all(&env).await?;
    until_all_rest(&env).await?;
    eprintln!(
        "figure: 400 targets published in {:.1} s ({BUILD})",
        began.elapsed().as_secs_f64()
    );
    eprintln!(
        "figure: {:.1} MiB resident after 500 resources ({BUILD})",
        resident(&env)?
    );
    let distinct = env.sts.calls().len();
    assert!(distinct <= PAIRS, "{distinct} calls for {PAIRS} pairs");

    env.stop_operator();
    let mark = env.proxy.mark();
    env.start_operator().await?;
    env.until("the first lists are worked off", async || {
        let metrics = env.get_http("/metrics").await?;
        let runs = metrics.lines().find_map(|line| {
            line.strip_prefix("controller_runtime_reconcile_time_seconds_count{controller=\"staticawscredentials\"} ")
        });
        Ok(runs.is_some_and(|runs| runs.parse().is_ok_and(|runs: u32| runs >= 500)).then_some(()))
    }).await?;
    let costs = env.costs(mark).await?;
    assert_silent(&costs);
    // Resources, Secrets and classes.
    assert_eq!(costs.lists, 3, "{costs:?}");
    assert_eq!(env.sts.calls().len(), distinct);
    eprintln!(
        "figure: {:.1} MiB resident after a restart with 500 resources ({BUILD})",
        resident(&env)?
    );

    // The operator still reacts: a good pair heals resources with the bad source.
    env.source("bad", PAIR).await?;
    env.until_converged("many-000").await?;
    env.resources
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await?;
    Ok(())
}

const BUILD: &str = if cfg!(debug_assertions) {
    "dev build"
} else {
    "release build"
};

async fn a_hundred_rotations_each_cost_one_read_and_two_writes(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.flag("--log", "info");
    env.flag("--sts-rate", "1000");
    env.start_operator().await?;
    env.sts
        .answer_by_default(sts::Answer::Accept(sts::Identity {
            account: ACCOUNT.to_owned(),
            arn: ARN.to_owned(),
            user_id: "AIDAQUAIL".to_owned(),
        }));
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    let mark = env.proxy.mark();
    let mut latencies = Vec::new();
    for turn in 0..100 {
        latencies.push(rotate(&env, turn).await?);
    }
    env.until_converged("orders").await?;
    let costs: Counts = env.costs(mark).await?;
    assert_eq!(env.published("orders").await?.revision, 101);
    assert_eq!((costs.gets, costs.written()), (100, 200), "{costs:?}");
    assert_eq!(env.sts.calls().len(), 101);
    latencies.sort();
    let at = |index: usize| {
        latencies
            .get(index)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    };
    eprintln!(
        "figure: rotation, source to target: median {:.1} ms, p99 {:.1} ms, worst {:.1} ms ({BUILD})",
        at(50),
        at(98),
        at(99)
    );
    Ok(())
}

/// The time from the write request for the source until the target is written. Waits for the status, too.
async fn rotate(env: &TestEnv, turn: usize) -> Result<Duration> {
    let letter = |number: usize| char::from(b'A' + u8::try_from(number).unwrap_or_default());
    let id = format!(
        "AKIARZPUZDIKQUAI{}{}77",
        letter(turn / 20),
        letter(turn % 20)
    );
    let mark = env.proxy.mark();
    let began = Instant::now();
    let pair = json!({ "stringData": { "AWS_ACCESS_KEY_ID": id } });
    env.edit_secret("pair", pair).await?;
    env.until("the target and the status are written", async || {
        let since = env.proxy.since(mark);
        let done = |verb, what: &str| {
            let request = since
                .iter()
                .find(|by| by.verb == verb && by.resource == what);
            request.and_then(|request| request.finished)
        };
        let written = done(Verb::Update, "secrets");
        let reported = done(Verb::Patch, "staticawscredentials");
        Ok(written
            .zip(reported)
            .map(|(written, _)| written.duration_since(began)))
    })
    .await
}
