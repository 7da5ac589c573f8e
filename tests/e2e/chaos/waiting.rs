//! More new pairs at once than AWS is asked about in many minutes: all but a few wait for their turn.

use std::{ops::Range, sync::Arc};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    ResourceExt,
    api::{ListParams, ObjectMeta, PostParams},
};
use serde_json::json;
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    chaos::{
        abuse_bursts::cluster_for_load,
        counts::survived,
        load::{delete_all, until_published},
        resident::{LIMIT, MANY, Peak, memory, number_of},
    },
    harness::{
        steps::numbered,
        test_env::{TestCluster, TestEnv},
    },
    report,
    suite::tests,
};

tests![f33_ten_thousand_new_pairs_that_wait_for_aws];

/// Creates resources and sources, each with a pair of its own.
async fn create_pairs(env: &TestEnv, numbers: Range<usize>) -> Result<()> {
    let create = async |number: usize| {
        let pair = numbered(number);
        env.accept((&pair.0, &pair.1));
        let name = format!("new-{number:05}");
        let data = [
            ("AWS_ACCESS_KEY_ID", pair.0),
            ("AWS_SECRET_ACCESS_KEY", pair.1),
        ];
        let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes())));
        let source = Secret {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            data: Some(data.into()),
            ..Secret::default()
        };
        let resource: StaticAwsCredentials = serde_json::from_value(json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": name },
            "spec": { "secretRef": { "name": name }, "region": "eu-west-1" },
        }))?;
        let parameters = PostParams::default();
        env.secrets.create(&parameters, &source).await?;
        env.resources.create(&parameters, &resource).await?;
        anyhow::Ok(())
    };
    let all = stream::iter(numbers.map(create));
    all.buffer_unordered(16).try_collect::<()>().await
}

/// Waits until each of `count` pairs was verified or waits for its verification.
async fn until_waiting(env: &TestEnv, count: usize) -> Result<()> {
    let what = format!("{count} pairs wait for their turn");
    let waiting = async || {
        let metrics = env.get_http("/metrics").await?;
        let mut lines = metrics.lines();
        let number = lines.find_map(|line| line.strip_prefix("staticawscredentials_sts_waiting "));
        let waiting: usize = number.context("no such metric")?.parse()?;
        Ok((waiting + env.sts.calls().len() >= count).then_some(()))
    };
    env.until(&what, waiting).await
}

/// Measures the memory per pair with fewer pairs, and extrapolates to 10,000.
async fn f33_ten_thousand_new_pairs_that_wait_for_aws(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    // The slope was 4.2 to 6.8 KiB per pair with 600 pairs, and 4.4 to 4.7 with 1,500.
    let (warm, count) = if report::thorough() {
        (1_000, 4_000)
    } else {
        (900, 2_400)
    };
    let mut env = TestEnv::before_start(cluster_for_load(test_cluster).await?).await?;
    env.flag("--log", "warn");
    // Slow enough that nearly all pairs are still waiting when the last is created.
    env.flag("--sts-rate", "1");
    env.start_operator().await?;
    let peak = Peak::of(&env)?;
    create_pairs(&env, 0..warm).await?;
    until_waiting(&env, warm).await?;
    let before = memory(env.operator()?.pid())?;
    create_pairs(&env, warm..count).await?;
    until_waiting(&env, count).await?;
    let after = memory(env.operator()?.pid())?;
    let most = peak.end();
    let each = (after - before).max(0.0) / number_of(count - warm) * 1024.0;
    let further = number_of(MANY - count) * each / 1024.0;
    let what = format!(
        "pairs of which each waits: {before:.1} MiB with {warm}, {after:.1} with {count}, {most:.1} at most; {each:.1} KiB each"
    );
    ensure!(most + further <= LIMIT, "{count} {what}");

    // With a high rate of calls, none of the pairs waits any longer.
    env.stop_operator();
    env.serve(&[&env.namespace.clone()]);
    env.flag("--log", "warn");
    env.flag("--sts-rate", "1000");
    env.start_operator().await?;
    until_published(&env, count).await?;
    let targets = env.secrets.list(&ListParams::default()).await?.items;
    for number in 0..count {
        let name = format!("new-{number:05}-credentials");
        let target = targets.iter().find(|target| target.name_any() == name);
        let data = target.and_then(|target| target.data.as_ref());
        let id = data.and_then(|data| data.get("AWS_ACCESS_KEY_ID"));
        let id = id.with_context(|| format!("{name} is missing"))?;
        ensure!(id.0 == numbered(number).0.into_bytes(), "{name}");
    }
    survived("f33_ten_thousand_new_pairs_that_wait_for_aws", count, &what);
    delete_all(&env).await
}
