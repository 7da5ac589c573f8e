//! Sources that are huge, many, or changing all the time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use cluster::sts::Answer;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::{ObjectMeta, PostParams};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        steps::numbered,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    report,
    suite::tests,
};

tests![
    a13_huge_annotations_fill_no_memory,
    a14_a_burst_of_bad_keys_holds_up_nobody_else,
    a15_a_source_that_never_rests_is_coalesced,
];

/// The cluster for tests with a high load: in the long form a separate one, since watches lag behind by minutes with
/// hundreds of megabytes of Secrets or tens of thousands of objects.
pub async fn cluster_for_load(test_cluster: Arc<TestCluster>) -> Result<Arc<TestCluster>> {
    if report::thorough() {
        // Not the cluster of `cluster_outage`.
        return test_cluster.another().await?.another().await;
    }
    Ok(test_cluster)
}

/// The resident memory of the operator, in KiB.
pub fn resident(env: &TestEnv) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", env.operator()?.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmRSS")?.parse()?)
}

/// A busy API server may need longer for a megabyte than its request timeout.
async fn created(env: &TestEnv, secret: &Secret) -> Result<()> {
    loop {
        match env.secrets.create(&PostParams::default(), secret).await {
            Err(kube::Error::Api(status)) if status.code == 504 => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => return Ok(()),
            created => return Ok(created.map(drop)?),
        }
    }
}

/// Secrets without a reference to them, and one source, all with annotations of nearly the maximal size.
async fn a13_huge_annotations_fill_no_memory(test_cluster: Arc<TestCluster>) -> Result<()> {
    let count = if report::thorough() { 500 } else { 60 };
    let mut env = TestEnv::settled_with(cluster_for_load(test_cluster).await?, json!({})).await?;
    let before = resident(&env)?;
    let huge = "a".repeat((256 << 10) - 100);
    env.edit_secret(
        "pair",
        json!({ "metadata": { "annotations": { "huge": huge } } }),
    )
    .await?;
    let secrets: Vec<Secret> = (0..count)
        .map(|number| Secret {
            metadata: ObjectMeta {
                name: Some(format!("huge-{number}")),
                annotations: Some(BTreeMap::from([("huge".to_owned(), huge.clone())])),
                ..ObjectMeta::default()
            },
            // The API server allows 256 KiB of annotations; the rest of the megabyte is data.
            data: Some(BTreeMap::from([(
                "a".to_owned(),
                ByteString(vec![b'a'; 700 << 10]),
            )])),
            ..Secret::default()
        })
        .collect();
    let creates = secrets.iter().map(|secret| created(&env, secret));
    let all: Vec<()> = stream::iter(creates)
        .buffer_unordered(4)
        .try_collect()
        .await?;
    assert_eq!(all.len(), count);
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let watched = resident(&env)?;
    env.stop_operator();
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    let listed = resident(&env)?;
    for (how, now) in [("watched", watched), ("listed", listed)] {
        assert!(
            now < before + (32 << 10),
            "{how}: from {before} to {now} KiB"
        );
    }
    let what = format!("huge Secrets; {before} KiB before, {watched} watched, {listed} listed");
    survived("a13_huge_annotations_fill_no_memory", count, &what);
    Ok(())
}

async fn a14_a_burst_of_bad_keys_holds_up_nobody_else(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let count = if report::thorough() { 10_000 } else { 300 };
    let test_cluster = cluster_for_load(test_cluster).await?;
    let burst = TestEnv::before_start(Arc::clone(&test_cluster)).await?;
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.share_with(&burst).await?;
    // At this rate, the calls of the burst take minutes, so that even on a slow machine some are left at the end.
    env.flag("--sts-rate", "2");
    env.start_operator().await?;
    // The baseline: the time of a rotation before the burst.
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    let before = slowest(&env, 10).await?;

    for number in 0..10 {
        let (id, secret) = numbered(number);
        env.sts.answer(&id, Answer::unknown_key());
        burst
            .source(&format!("settling-{number}"), (&id, &secret))
            .await?;
        burst
            .resource(
                &format!("settling-{number}"),
                &format!("settling-{number}"),
                json!({}),
            )
            .await?;
    }
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |number: usize| char::from(alphabet[number % 32]);
    let wrong = "SignatureDoesNotMatch";
    env.sts.answer_by_default(Answer::error(403, wrong, "no"));
    let creations = stream::iter(0..count).map(|number| {
        let burst = &burst;
        async move {
            let end = [number, number / 32, number / 1024]
                .map(letter)
                .iter()
                .collect::<String>();
            let id = format!("AKIARZPUZDIKQCRWD{end}");
            let name = format!("bad-{number}");
            burst.source(&name, (&id, PAIR.1)).await?;
            let object = json!({
                "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
                "metadata": { "name": name },
                "spec": { "secretRef": { "name": name }, "region": "eu-west-1" },
            });
            burst
                .resources
                .create(&PostParams::default(), &serde_json::from_value(object)?)
                .await?;
            anyhow::Ok(())
        }
    });
    creations
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await?;
    let during = slowest(&env, 16).await?;
    // Calls of the burst must still be pending.
    let made = env.sts.calls().len();
    let resident = resident(&env)?;
    assert!(made < count, "{made} calls were made already");
    // The two namespaces alternate, so a rotation waits at most 1 s longer; the rest is noise of the machine.
    assert!(
        during < before * 2 + Duration::from_secs(3),
        "{during:?} instead of {before:?}"
    );
    let what = format!(
        "bad keys; slowest rotation {before:?} before them, {during:?} during their calls; {resident} KiB while they wait"
    );
    survived("a14_a_burst_of_bad_keys_holds_up_nobody_else", count, &what);
    Ok(())
}

/// The slowest of six rotations, each to a pair that needs a call to STS.
async fn slowest(env: &TestEnv, from: usize) -> Result<Duration> {
    let mut slowest = Duration::ZERO;
    for number in from..from + 6 {
        let (id, secret) = numbered(number);
        env.accept((&id, &secret));
        let began = Instant::now();
        env.source("pair", (&id, &secret)).await?;
        env.until_converged("orders").await?;
        slowest = slowest.max(began.elapsed());
    }
    Ok(slowest)
}

/// Concurrent writers.
const WRITERS: usize = 16;

async fn a15_a_source_that_never_rests_is_coalesced(test_cluster: Arc<TestCluster>) -> Result<()> {
    let count: usize = if report::thorough() { 100_000 } else { 10_000 };
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let (mark, asked) = (env.proxy.mark(), env.sts.calls().len());
    for number in 0..count {
        let (id, secret) = one_of_many(number);
        env.accept((&id, &secret));
    }
    // The common beginning of all these pairs.
    let (id, secret) = one_of_many(0);
    env.invariants.secret(&id.as_bytes()[..16]);
    env.invariants.secret(&secret.as_bytes()[..32]);
    let took = rotated_so_often(&env, count).await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    let costs = env.costs(mark).await?;
    let asked = env.sts.calls().len() - asked;
    let seconds = usize::try_from(took.as_secs())? + 2;
    assert!(asked <= 10 + 5 * seconds, "{asked} calls in {took:?}");
    // Each edit was a new pair, and most pairs were replaced before the operator read them.
    let written = costs.written();
    assert!(asked <= count / 4, "{asked} calls for {count} edits");
    assert!(written <= count / 2, "{costs:?}");
    let rate = count * 1000 / usize::try_from(took.as_millis())?.max(1);
    let what = format!("edits, {rate} a second; {asked} calls of STS, {written} writes");
    let test = "a15_a_source_that_never_rests_is_coalesced";
    survived(test, count, &what);
    Ok(())
}

/// A pair of the same user for each number below a million.
fn one_of_many(number: usize) -> (String, String) {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |digit: u32| char::from(BASE32[number / 32_usize.pow(digit) % 32]);
    let id = format!("AKIARZPUZDIKQUAI{}", (0..4).map(letter).collect::<String>());
    (id, format!("wSecretOfOneOfSoManyPairs{number:015}"))
}

/// Replaces the source as fast as etcd allows, with another pair each time. Through the API server, the writers would
/// wait for each other.
async fn rotated_so_often(env: &TestEnv, count: usize) -> Result<Duration> {
    let (first, key) = one_of_many(0);
    env.source("pair", (&first, &key)).await?;
    let store = env.test_cluster.cluster().store()?;
    let key = format!("secrets/{}/pair", env.namespace);
    let pattern = store.object(&key).await?;
    let next = Arc::new(AtomicUsize::new(1));
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, key, next) = (store.clone(), key.clone(), Arc::clone(&next));
        let (mut source, mut last) = (pattern.clone(), one_of_many(0));
        writers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                let pair = one_of_many(number);
                overwrite(&mut source, &last.0, &pair.0)?;
                overwrite(&mut source, &last.1, &pair.1)?;
                store.replace(&key, &source).await?;
                last = pair;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(began.elapsed())
}

/// Replaces a text by another of the same length.
fn overwrite(object: &mut [u8], old: &str, new: &str) -> Result<()> {
    let mut places = object.windows(old.len());
    let place = places.position(|window| window == old.as_bytes());
    let place = place.context("the source holds another pair")?;
    object[place..place + new.len()].copy_from_slice(new.as_bytes());
    Ok(())
}
