//! The rates of the bare client on the same API server: no other client of these requests is faster.

use std::time::Duration;

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    bare::Bare,
    bursts::{ROUNDS, each},
    fairness::beside,
    observer::{self, Observer},
    process::Process,
    progress::say,
    space::Space,
    stats::{Spread, number},
    test_cluster::TestCluster,
};

/// Creates and rotations that are not measured: they warm up an API server that has just started.
const WARM: usize = 300;

/// The modes that are compared with the bare client.
const COMPARED: [Mode; 4] = [
    Mode::Create,
    Mode::Rotation,
    Mode::Sequential,
    Mode::Fairness,
];

/// The figures of the bare client.
#[derive(Default)]
pub struct Ceiling {
    /// Creates per second.
    pub create: Option<f64>,
    /// Rotations per second.
    pub rotation: Option<f64>,
    /// Milliseconds of CPU time per rotation of a burst.
    pub processor: Option<f64>,
    /// Milliseconds of one rotation at a time.
    pub alone: Option<Spread>,
    /// The time of one rotation beside a burst, relative to that without.
    pub beside: Option<f64>,
}

/// Measures the bare client, and deletes what it created.
pub async fn measure(test_cluster: &TestCluster, args: &Args, size: usize) -> Result<Ceiling> {
    warm(test_cluster, args).await?;
    let mut ceiling = Ceiling::default();
    if !COMPARED.iter().any(|mode| args.measures(*mode)) {
        return Ok(ceiling);
    }
    let bare = Bare::new(
        test_cluster,
        Space::open(test_cluster, args, "bare", size).await?,
    )
    .await?;
    bare.space.seed().await?;
    let _watches = bare.watches().await?;
    // The operator is observed by these watches too, and they cost the API server time.
    let _observer = Observer::of(test_cluster.cluster.kubeconfig(), &bare.space.namespace).await?;
    let rate = |took: Duration| number(size) / took.as_secs_f64();
    let created = rate(bare.create().await?);
    say(&format!("bare client: {created:.0} creates/s"));
    ceiling.create = Some(created);
    if args.measures(Mode::Rotation) {
        rotate(&bare, size, &mut ceiling).await?;
    }
    if args.measures(Mode::Sequential) {
        ceiling.alone = Some(alone(&bare, args.turns).await?);
    }
    if args.measures_last(Mode::Fairness, size) {
        ceiling.beside = Some(neighbour(test_cluster, args, &bare).await?);
    }
    bare.space.clear().await?;
    Ok(ceiling)
}

async fn rotate(bare: &Bare, size: usize, ceiling: &mut Ceiling) -> Result<()> {
    let me = Process(std::process::id());
    let (mut rates, mut used) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = me.cpu_without(observer::THREAD)?;
        rates.push(number(size) / bare.rotate().await?.as_secs_f64());
        used.push(each(before, me.cpu_without(observer::THREAD)?, size));
    }
    let rate = Spread::of(rates).median();
    say(&format!("bare client: {rate:.0} rotations/s"));
    ceiling.rotation = Some(rate);
    ceiling.processor = Some(Spread::of(used).median());
    Ok(())
}

async fn warm(test_cluster: &TestCluster, args: &Args) -> Result<()> {
    let bare = Bare::new(
        test_cluster,
        Space::open(test_cluster, args, "warm", WARM).await?,
    )
    .await?;
    bare.space.seed().await?;
    bare.create().await?;
    bare.rotate().await?;
    bare.space.clear().await
}

async fn alone(bare: &Bare, turns: usize) -> Result<Spread> {
    let mut times = Vec::new();
    for turn in 0..turns {
        times.push(bare.alone(turn).await?);
    }
    let spread = Spread::of(times);
    let median = spread.median();
    say(&format!("bare client: one rotation in {median:.1} ms"));
    Ok(spread)
}

async fn neighbour(test_cluster: &TestCluster, args: &Args, bare: &Bare) -> Result<f64> {
    let quiet = Bare::new(
        test_cluster,
        Space::open(test_cluster, args, "bare-quiet", 1).await?,
    )
    .await?;
    quiet.space.seed().await?;
    let _observer = Observer::of(test_cluster.cluster.kubeconfig(), &quiet.space.namespace).await?;
    quiet.create().await?;
    let ratio = beside(async |turn| quiet.alone(turn).await, bare.rotate()).await?;
    say(&format!("bare client: {ratio:.1} × as long beside a burst"));
    quiet.space.clear().await?;
    Ok(ratio)
}
