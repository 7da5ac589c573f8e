//! Bursts and single rotations: what users do, and how long the operator takes.

use std::{collections::HashMap, time::Duration};

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    ceiling::Ceiling,
    fairness::beside,
    figure::Figure,
    measure::Measure,
    operator::Operator,
    ours::{Burst, Ours},
    progress::say,
    space::Space,
    stats::{Spread, number},
    test_cluster::TestCluster,
};

/// The speed of a machine varies from minute to minute, so a burst of rotations is repeated and the median counts.
pub const ROUNDS: usize = 3;

/// Measures the operator, and leaves `size` settled resources.
pub async fn ours(
    test_cluster: &TestCluster,
    args: &Args,
    operator: &Operator,
    size: usize,
    ceiling: &Ceiling,
    figures: &mut Vec<Figure>,
) -> Result<Ours> {
    let burst = Space::open(test_cluster, args, "burst", size).await?;
    let ours = Ours::seed(test_cluster, burst).await?;
    let created = ours.create().await?;
    let rate = number(size) / created.took.as_secs_f64();
    say(&format!("operator: {rate:.0} creates/s"));
    if args.measures(Mode::Create) {
        figures.push(Figure::beside(
            Measure::CreateRate,
            size,
            rate,
            ceiling.create,
        ));
        let longest = longest(&created);
        figures.push(Figure::new(Measure::LongestCreateWait, size, longest));
    }
    if args.measures(Mode::Rotation) {
        rotate(&ours, operator, size, ceiling, figures).await?;
    }
    if args.measures(Mode::Sequential) {
        alone(&ours, args, size, ceiling, figures).await?;
    }
    if args.measures_last(Mode::Fairness, size) {
        let quiet = Space::open(test_cluster, args, "quiet", 1).await?;
        let quiet = Ours::seed(test_cluster, quiet).await?;
        quiet.create().await?;
        let ratio = beside(async |turn| quiet.alone(turn).await, ours.rotate()).await?;
        say(&format!("operator: {ratio:.1} × as long beside a burst"));
        let bare = ceiling.beside;
        figures.push(Figure::beside(
            Measure::NeighbourRotation,
            size,
            ratio,
            bare,
        ));
    }
    Ok(ours)
}

async fn rotate(
    ours: &Ours,
    operator: &Operator,
    size: usize,
    ceiling: &Ceiling,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let (mut rates, mut used, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = operator.process().cpu()?;
        let rotated = ours.rotate().await?;
        used.push(each(before, operator.process().cpu()?, size));
        rates.push(number(size) / rotated.took.as_secs_f64());
        waits.push(longest(&rotated));
    }
    let median = |values: Vec<f64>| Spread::of(values).median();
    let (rate, used, longest) = (median(rates), median(used), median(waits));
    say(&format!("operator: {rate:.0} rotations/s"));
    let bare = ceiling.rotation;
    figures.push(Figure::beside(Measure::RotationRate, size, rate, bare));
    let bare = ceiling.processor;
    figures.push(Figure::beside(Measure::ProcessorTime, size, used, bare));
    figures.push(Figure::new(Measure::LongestRotationWait, size, longest));
    Ok(())
}

/// CPU time per resource, in milliseconds.
pub fn each(before: Duration, after: Duration, size: usize) -> f64 {
    after.saturating_sub(before).as_secs_f64() * 1e3 / number(size.max(1))
}

async fn alone(
    ours: &Ours,
    args: &Args,
    size: usize,
    ceiling: &Ceiling,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let mut times = Vec::new();
    for turn in 0..args.turns {
        times.push(ours.alone(turn).await?);
    }
    let spread = Spread::of(times);
    let bare = ceiling.alone.as_ref().map(Spread::median);
    say(&format!(
        "operator: one rotation in {:.1} ms",
        spread.median()
    ));
    let median = spread.median();
    figures.push(Figure::beside(Measure::RotationMedian, size, median, bare));
    let p99 = spread.percentile(99);
    figures.push(Figure::beside(Measure::RotationP99, size, p99, bare));
    Ok(())
}

/// In a FIFO queue, the longest wait is twice the median.
fn longest(burst: &Burst) -> f64 {
    let waits = Spread::of(burst.waits.iter().copied());
    waits.worst() / waits.median().max(f64::MIN_POSITIVE)
}

/// The maximal number of calls to STS for one pair.
pub fn calls(test_cluster: &TestCluster) -> f64 {
    let mut counts = HashMap::<String, usize>::new();
    for call in test_cluster.sts.calls() {
        *counts.entry(call.key_id).or_default() += 1;
    }
    number(counts.into_values().max().unwrap_or_default())
}

/// The operator without a resource.
pub async fn idle(operator: &Operator, figures: &mut Vec<Figure>) -> Result<()> {
    operator.process().until_at_rest().await?;
    let memory = operator.process().resident()?;
    say(&format!("operator: {memory:.1} MiB without a resource"));
    figures.push(Figure::new(Measure::IdleMemory, 0, memory));
    Ok(())
}
