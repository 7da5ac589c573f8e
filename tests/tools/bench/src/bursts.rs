//! The operator's side of a comparison: what users do, and how long the operator takes.

use std::{collections::HashMap, future::Future, time::Duration};

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    comparison::{COMPARISONS, Side},
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

/// The bursts of rotations of a process before its memory is measured, without that beside another namespace.
const ROTATIONS: usize = 3;

/// A running operator with its settled resources.
pub struct Served {
    pub operator: Operator,
    pub ours: Ours,
    quiet: Option<Ours>,
}

impl Served {
    /// Ends the operator, and then deletes its resources: an operator that runs restores a deleted target.
    pub async fn end(self) -> Result<()> {
        self.operator.stop().await?;
        self.ours.space.clear().await?;
        match self.quiet {
            Some(quiet) => quiet.space.clear().await,
            None => Ok(()),
        }
    }

    /// Rotates until the process has done as many bursts as its memory is measured after.
    pub async fn rotate_again(&self, args: &Args) -> Result<()> {
        for _ in usize::from(args.measures(Mode::Rotation))..ROTATIONS {
            self.ours.rotate().await?;
        }
        Ok(())
    }
}

/// Measures the operator with `size` resources, which it creates.
pub async fn measure(
    test_cluster: &TestCluster,
    args: &Args,
    operator: Operator,
    size: usize,
) -> Result<(Served, Side)> {
    let mut found = Side::default();
    let burst = Space::open(test_cluster, args, "burst", size).await?;
    let ours = Ours::seed(test_cluster, burst).await?;
    create(&ours, args, &operator, size, &mut found).await?;
    if args.measures(Mode::Rotation) {
        rotate(&ours, &operator, size, &mut found).await?;
    }
    if args.measures(Mode::Sequential) {
        found.alone = Some(alone(&ours, args.turns.div_ceil(COMPARISONS)).await?);
    }
    let mut quiet = None;
    if args.measures_last(Mode::Fairness, size) {
        let space = Space::open(test_cluster, args, "quiet", 1).await?;
        let neighbour = Ours::seed(test_cluster, space).await?;
        neighbour.create().await?;
        let ratio = beside(async |turn| neighbour.alone(turn).await, ours.rotate()).await?;
        say(&format!("operator: {ratio:.1} × as long beside a burst"));
        found.beside = Some(ratio);
        quiet = Some(neighbour);
    }
    let served = Served {
        operator,
        ours,
        quiet,
    };
    Ok((served, found))
}

async fn create(
    ours: &Ours,
    args: &Args,
    operator: &Operator,
    size: usize,
    found: &mut Side,
) -> Result<()> {
    let created = with_events(operator, ours.create()).await?;
    let rate = number(size) / created.burst.took.as_secs_f64();
    say(&format!("operator: {rate:.0} creates/s"));
    if args.measures(Mode::Create) {
        found.creates = Some(rate);
        found.longest_create = Some(longest(&created.burst));
        found.lost(created.lost);
    }
    Ok(())
}

async fn rotate(ours: &Ours, operator: &Operator, size: usize, found: &mut Side) -> Result<()> {
    let rotated = with_events(operator, ours.rotate()).await?;
    let rate = number(size) / rotated.burst.took.as_secs_f64();
    let used = each(rotated.used, size);
    say(&format!(
        "operator: {rate:.0} rotations/s, each with {used:.2} ms of a processor"
    ));
    found.rotations = Some(rate);
    found.processor = Some(used);
    found.longest_rotation = Some(longest(&rotated.burst));
    found.lost(rotated.lost);
    Ok(())
}

/// A burst with all that follows from it.
struct WithEvents {
    burst: Burst,
    used: Duration,
    lost: f64,
}

/// Waits after a burst until the operator is idle: events are published behind the reconciles, and their cost belongs
/// to the burst.
async fn with_events(
    operator: &Operator,
    burst: impl Future<Output = Result<Burst>>,
) -> Result<WithEvents> {
    let lost_before = operator.lost_events().await?;
    let used_before = operator.process().cpu()?;
    let burst = burst.await?;
    operator.process().until_at_rest().await?;
    let used = operator.process().cpu()?.saturating_sub(used_before);
    let lost = operator.lost_events().await? - lost_before;
    if lost > 0.0 {
        say(&format!("operator: {lost:.0} events were not published"));
    }
    Ok(WithEvents { burst, used, lost })
}

/// CPU time per resource, in milliseconds.
pub fn each(used: Duration, size: usize) -> f64 {
    used.as_secs_f64() * 1e3 / number(size.max(1))
}

async fn alone(ours: &Ours, turns: usize) -> Result<Spread> {
    let mut times = Vec::new();
    for turn in 0..turns {
        times.push(ours.alone(turn).await?);
    }
    let spread = Spread::of(times);
    let median = spread.median();
    say(&format!("operator: one rotation in {median:.1} ms"));
    Ok(spread)
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
