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
    actions::{TARGET, tests},
    report,
    scene::{PAIR, SECOND, Scene, Stage},
    steps::numbered,
    tally::survived,
};

tests![
    a13_huge_annotations_fill_no_memory,
    a14_a_crowd_of_bad_keys_holds_up_nobody_else,
    a15_a_source_that_never_rests_is_coalesced,
];

/// In the long form, a cluster of its own for tests that would slow down all others: with hundreds of megabytes of
/// Secrets, or tens of thousands of objects, watches lag behind by minutes.
pub async fn for_a_crowd(stage: Arc<Stage>) -> Result<Arc<Stage>> {
    if report::thorough() {
        // Not the cluster of `harm`.
        return stage.elsewhere().await?.elsewhere().await;
    }
    Ok(stage)
}

/// The resident memory of the operator, in KiB.
pub fn resident(scene: &Scene) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", scene.operator()?.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmRSS")?.parse()?)
}

/// A busy API server may need longer for a megabyte than its request timeout.
async fn created(scene: &Scene, secret: &Secret) -> Result<()> {
    loop {
        match scene.secrets.create(&PostParams::default(), secret).await {
            Err(kube::Error::Api(status)) if status.code == 504 => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => return Ok(()),
            created => return Ok(created.map(drop)?),
        }
    }
}

/// Secrets without a reference to them, and one source, all with annotations of nearly the maximal size.
async fn a13_huge_annotations_fill_no_memory(stage: Arc<Stage>) -> Result<()> {
    let count = if report::thorough() { 500 } else { 60 };
    let mut scene = Scene::settled_with(for_a_crowd(stage).await?, json!({})).await?;
    let before = resident(&scene)?;
    let huge = "a".repeat((256 << 10) - 100);
    scene
        .edit_secret(
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
    let creates = secrets.iter().map(|secret| created(&scene, secret));
    let all: Vec<()> = stream::iter(creates)
        .buffer_unordered(4)
        .try_collect()
        .await?;
    assert_eq!(all.len(), count);
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    let watched = resident(&scene)?;
    scene.stop_operator();
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.until_agreed("orders").await?;
    let listed = resident(&scene)?;
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

async fn a14_a_crowd_of_bad_keys_holds_up_nobody_else(stage: Arc<Stage>) -> Result<()> {
    let count = if report::thorough() { 10_000 } else { 300 };
    let stage = for_a_crowd(stage).await?;
    let crowd = Scene::before_start(Arc::clone(&stage)).await?;
    let mut scene = Scene::before_start(stage).await?;
    scene.share_with(&crowd).await?;
    // At this rate, the calls of the crowd take minutes, so that even on a slow machine some are left at the end.
    scene.flag("--sts-rate", "2");
    scene.start_operator().await?;
    // The baseline: the time of a rotation before the crowd.
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    let alone = slowest(&scene, 10).await?;

    for number in 0..10 {
        let (id, secret) = numbered(number);
        scene.sts.answer(&id, Answer::unknown_key());
        crowd
            .source(&format!("settling-{number}"), (&id, &secret))
            .await?;
        crowd
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
    scene.sts.answer_by_default(Answer::error(403, wrong, "no"));
    let crowding = stream::iter(0..count).map(|number| {
        let crowd = &crowd;
        async move {
            let end = [number, number / 32, number / 1024]
                .map(letter)
                .iter()
                .collect::<String>();
            let id = format!("AKIARZPUZDIKQCRWD{end}");
            let name = format!("bad-{number}");
            crowd.source(&name, (&id, PAIR.1)).await?;
            let object = json!({
                "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
                "metadata": { "name": name },
                "spec": { "secretRef": { "name": name }, "region": "eu-west-1" },
            });
            crowd
                .resources
                .create(&PostParams::default(), &serde_json::from_value(object)?)
                .await?;
            anyhow::Ok(())
        }
    });
    crowding
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await?;
    let crowded = slowest(&scene, 16).await?;
    // Calls of the crowd must still be pending.
    let made = scene.sts.calls().len();
    let resident = resident(&scene)?;
    assert!(made < count, "{made} calls were made already");
    // The two namespaces alternate, so a rotation waits at most 1 s longer; the rest is noise of the machine.
    assert!(
        crowded < alone * 2 + Duration::from_secs(3),
        "{crowded:?} instead of {alone:?}"
    );
    let what = format!(
        "bad keys; slowest rotation {alone:?} alone, {crowded:?} beside them; {resident} KiB while they wait"
    );
    survived("a14_a_crowd_of_bad_keys_holds_up_nobody_else", count, &what);
    Ok(())
}

/// The slowest of six rotations, each to a pair that needs a call to STS.
async fn slowest(scene: &Scene, from: usize) -> Result<Duration> {
    let mut slowest = Duration::ZERO;
    for number in from..from + 6 {
        let (id, secret) = numbered(number);
        scene.accept((&id, &secret));
        let began = Instant::now();
        scene.source("pair", (&id, &secret)).await?;
        scene.until_agreed("orders").await?;
        slowest = slowest.max(began.elapsed());
    }
    Ok(slowest)
}

/// Concurrent writers.
const WRITERS: usize = 16;

async fn a15_a_source_that_never_rests_is_coalesced(stage: Arc<Stage>) -> Result<()> {
    let count: usize = if report::thorough() { 100_000 } else { 10_000 };
    let scene = Scene::settled_with(stage, json!({})).await?;
    let (mark, asked) = (scene.proxy.mark(), scene.sts.calls().len());
    for number in 0..count {
        let (id, secret) = one_of_many(number);
        scene.accept((&id, &secret));
    }
    // The common beginning of all these pairs.
    let (id, secret) = one_of_many(0);
    scene.witness.secret(&id.as_bytes()[..16]);
    scene.witness.secret(&secret.as_bytes()[..32]);
    let took = rotated_so_often(&scene, count).await?;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, SECOND.0);
    let costs = scene.costs(mark).await?;
    let asked = scene.sts.calls().len() - asked;
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
async fn rotated_so_often(scene: &Scene, count: usize) -> Result<Duration> {
    let (first, key) = one_of_many(0);
    scene.source("pair", (&first, &key)).await?;
    let store = scene.stage.cluster().store()?;
    let place = format!("secrets/{}/pair", scene.namespace);
    let pattern = store.object(&place).await?;
    let next = Arc::new(AtomicUsize::new(1));
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, place, next) = (store.clone(), place.clone(), Arc::clone(&next));
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
                store.replace(&place, &source).await?;
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
