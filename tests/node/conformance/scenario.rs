//! The scenario: publish, ask every client, rotate, ask again, deactivate the first keys, ask again. The helper's key
//! is deactivated once the operator reports it unused, the other one while pods still hold it. Some clients are asked
//! every second throughout.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use cluster::moto::KeyPair;
use futures::{StreamExt, TryStreamExt, stream};

use crate::conformance::{
    examples,
    follow::{self, Moments},
    install,
    matrix::{Cell, Matrix},
    pairs::Pairs,
    pods::{self, Part},
    running::{Answer, Running},
    sdk::{Client, SDKS, Sdk, clients},
    test_cluster::TestCluster,
    way::Way,
};

/// Pods that start at once, and clients that are asked at once: the limit of two processors.
const STARTING: usize = 3;
const ASKED: usize = 5;

/// Time for which clients are still asked every second with only the second key active.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// Origin of an answer: the pod and its container.
pub type At = (String, Way);

pub async fn run() -> Result<Matrix> {
    tokio::task::spawn_blocking(install::packages).await??;
    let prepared = tokio::task::spawn_blocking(prepare);
    let (test_cluster, prepared) = tokio::join!(TestCluster::start(), prepared);
    let (test_cluster, (launch, prepared)) = (test_cluster?, prepared??);
    let launch = test_cluster
        .node
        .import_image(pods::LAUNCH_IMAGE, &launch, &[]);
    launch.await?;

    let first = test_cluster.new_pairs().await?;
    test_cluster.apply_examples().await?;
    test_cluster.published(&first).await?;
    let parts: Vec<Part> = { prepared.iter() }
        .flat_map(|(sdk, client)| pods::parts(sdk, client))
        .collect();
    let start = Instant::now();
    let starting = stream::iter(parts).map(|part| Running::start(&test_cluster, part));
    let mut pods: Vec<Running> = starting.buffered(STARTING).try_collect().await?;
    eprintln!(
        "conformance: {} pods run after {:.0?}",
        pods.len(),
        start.elapsed()
    );
    let over = AtomicBool::new(false);
    let scenario = async {
        let outcome = rotate(&test_cluster, &pods, &first).await;
        over.store(true, Ordering::Relaxed);
        outcome
    };
    let (outcome, followed) = tokio::join!(scenario, follow::each_second(&pods, &over));
    let (second, moments, cells) = outcome?;
    let mut matrix = Matrix::new(&first, &second);
    for (at, cell) in cells {
        matrix.add(at, cell);
    }
    for (at, answers) in followed {
        matrix.follow(at, &answers, &moments)?;
    }
    let restarted = Box::pin(pods.remove(0).restart()).await?;
    matrix.restarted(ask_all(&[restarted]).await.into_iter().collect());
    test_cluster
        .kept_secret([first.both(), second.both()].as_flattened())
        .await?;
    Ok(matrix)
}

/// The second pairs, the times, and all answers.
type RotationOutcome = (Pairs<KeyPair>, Moments, Vec<(At, Cell)>);

async fn rotate(
    test_cluster: &TestCluster,
    pods: &[Running<'_>],
    first: &Pairs<KeyPair>,
) -> Result<RotationOutcome> {
    let before = ask_all(pods).await;
    let second = test_cluster.new_pairs().await?;
    let rotated = Instant::now();
    test_cluster.published(&second).await?;
    for pod in pods {
        pod.sees(&second).await?;
    }
    let mut both = ask_all(pods).await;
    test_cluster.may_deactivate().await?;
    test_cluster.deactivate(first).await?;
    let deactivated = Instant::now();
    let mut alone = ask_all(pods).await;
    tokio::time::sleep(AFTERWARDS).await;
    let moments = Moments {
        rotated,
        deactivated,
    };
    let cells = before.into_iter().map(|(at, before)| {
        let both = both.remove(&at).context("not asked a second time")?;
        let alone = alone.remove(&at).context("not asked a third time")?;
        let cell = Cell {
            before,
            both,
            alone,
        };
        Ok((at, cell))
    });
    Ok((second, moments, cells.collect::<Result<_>>()?))
}

/// Installs everything. Blocks.
fn prepare() -> Result<(PathBuf, Vec<(&'static Sdk, Client)>)> {
    let launch = cluster::binaries::go_binary(&clients().join("launch"), ".", "launch", 10)?;
    // `SDKS` restricts the run to some SDKs, for development.
    let named = std::env::var("SDKS").ok();
    let wanted = |sdk: &&Sdk| {
        let named = named.as_ref();
        named.is_none_or(|names| names.split(',').any(|name| name == sdk.pod))
    };
    let prepared = SDKS
        .iter()
        .filter(wanted)
        .map(|sdk| Ok((sdk, sdk.prepare()?)));
    Ok((launch, prepared.collect::<Result<_>>()?))
}

async fn ask_all(pods: &[Running<'_>]) -> BTreeMap<At, Answer> {
    let start = Instant::now();
    let all = { pods.iter() }.flat_map(|pod| pod.part.ways.iter().map(move |way| (pod, *way)));
    let all = all.filter(|(pod, way)| !follow::is_followed(pod, *way));
    let asked = stream::iter(all).map(|(pod, way)| async move {
        let answer = match way {
            // An SDK may use the old pair until that expires.
            Way::ProcessJsonExpiring => {
                let patience = 2 * Duration::from_secs(examples::LIFETIME);
                pod.ask_for(way, patience).await
            }
            Way::Layout(_) => pod.ask(way).await,
        };
        ((pod.part.name.clone(), way), answer)
    });
    let answers: BTreeMap<At, Answer> = asked.buffer_unordered(ASKED).collect().await;
    eprintln!(
        "conformance: {} answers in {:.0?}",
        answers.len(),
        start.elapsed()
    );
    answers
}
