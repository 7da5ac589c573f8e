//! The bare client's side of a comparison: no other client of these requests is faster.

use std::time::Duration;

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    bare::Bare,
    bursts::each,
    comparison::{COMPARISONS, Side},
    fairness::beside,
    observer::{self, Observer},
    process::Process,
    progress::say,
    space::Space,
    stats::{Spread, number},
    test_cluster::TestCluster,
};

/// Creates and rotations that are not measured.
const WARM: usize = 300;

/// Warms up an API server that has just started.
pub async fn warm(test_cluster: &TestCluster, args: &Args) -> Result<()> {
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

/// Measures the bare client, and deletes what it created.
pub async fn measure(test_cluster: &TestCluster, args: &Args, size: usize) -> Result<Side> {
    let mut found = Side::default();
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
    if args.measures(Mode::Create) {
        found.creates = Some(created);
    }
    if args.measures(Mode::Rotation) {
        let me = Process(std::process::id());
        let before = me.cpu_without(observer::THREAD)?;
        let rotated = rate(bare.rotate().await?);
        let after = me.cpu_without(observer::THREAD)?;
        say(&format!("bare client: {rotated:.0} rotations/s"));
        found.rotations = Some(rotated);
        found.processor = Some(each(after.saturating_sub(before), size));
    }
    if args.measures(Mode::Sequential) {
        found.alone = Some(alone(&bare, args.turns.div_ceil(COMPARISONS)).await?);
    }
    if args.measures_last(Mode::Fairness, size) {
        found.beside = Some(neighbour(test_cluster, args, &bare).await?);
    }
    bare.space.clear().await?;
    Ok(found)
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
