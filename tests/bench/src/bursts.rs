//! The bare client first, then the operator, with the same number of resources and clients.

use std::time::Duration;

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    bare::Bare,
    fairness::beside,
    figure::Figure,
    measure::Measure,
    operator::Operator,
    ours::{Burst, Ours},
    process::Process,
    progress::say,
    space::{Shape, Space},
    stage::Stage,
    stats::{Spread, number},
};

/// Creates that nobody measures: the API server has just started.
const WARM: usize = 300;

/// What is compared with the bare client.
const BURSTS: [Mode; 4] = [
    Mode::Create,
    Mode::Rotation,
    Mode::Sequential,
    Mode::Fairness,
];

/// What the bare client has.
#[derive(Default)]
pub struct Ceiling {
    create: Option<f64>,
    rotation: Option<f64>,
    processor: Option<f64>,
    alone: Option<Spread>,
    beside: Option<f64>,
}

/// A namespace with so many resources.
async fn space(stage: &Stage, args: &Args, prefix: &str, count: usize) -> Result<(String, Space)> {
    let namespace = stage.cluster.namespace(prefix).await?;
    let shape = Shape {
        count,
        clients: args.clients,
        pairs: args.pairs,
    };
    let space = Space::new(&stage.client, &namespace, shape);
    Ok((namespace, space))
}

/// Measures the bare client, and leaves nothing.
pub async fn bare(stage: &Stage, args: &Args, size: usize) -> Result<Ceiling> {
    let warm = Bare::new(space(stage, args, "warm", WARM).await?.1);
    warm.space.seed().await?;
    warm.create().await?;
    warm.rotate().await?;
    warm.space.clear().await?;

    let mut ceiling = Ceiling::default();
    if !BURSTS.iter().any(|mode| args.measures(*mode)) {
        return Ok(ceiling);
    }
    let bare = Bare::new(space(stage, args, "bare", size).await?.1);
    bare.space.seed().await?;
    let _watches = bare.watches().await?;
    let rate = |took: Duration| number(size) / took.as_secs_f64();
    ceiling.create = Some(rate(bare.create().await?));
    say(&format!(
        "bare client: {:.0} creates/s",
        ceiling.create.unwrap_or_default()
    ));
    if args.measures(Mode::Rotation) {
        let me = Process(std::process::id());
        let before = me.cpu()?;
        ceiling.rotation = Some(rate(bare.rotate().await?));
        ceiling.processor = Some(each(before, me.cpu()?, size));
        say(&format!(
            "bare client: {:.0} rotations/s",
            ceiling.rotation.unwrap_or_default()
        ));
    }
    if args.measures(Mode::Sequential) {
        let mut times = Vec::new();
        for turn in 0..args.turns {
            times.push(bare.alone(turn).await?);
        }
        let spread = Spread::of(times);
        say(&format!(
            "bare client: one rotation in {:.1} ms",
            spread.median()
        ));
        ceiling.alone = Some(spread);
    }
    if args.measures_last(Mode::Fairness, size) {
        let quiet = Bare::new(space(stage, args, "bare-quiet", 1).await?.1);
        quiet.space.seed().await?;
        quiet.create().await?;
        let ratio = beside(async |turn| quiet.alone(turn).await, bare.rotate()).await?;
        say(&format!("bare client: {ratio:.1} × as long beside a burst"));
        ceiling.beside = Some(ratio);
        quiet.space.clear().await?;
    }
    bare.space.clear().await?;
    Ok(ceiling)
}

/// Measures the operator, and leaves so many resources, all settled.
pub async fn ours(
    stage: &Stage,
    args: &Args,
    operator: &Operator,
    size: usize,
    ceiling: &Ceiling,
    figures: &mut Vec<Figure>,
) -> Result<Ours> {
    let (namespace, crowd) = space(stage, args, "crowd", size).await?;
    let ours = Ours::seed(&stage.client, &namespace, crowd).await?;
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
        let (namespace, quiet) = space(stage, args, "quiet", 1).await?;
        let quiet = Ours::seed(&stage.client, &namespace, quiet).await?;
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
    let before = operator.process().cpu()?;
    let rotated = ours.rotate().await?;
    let used = each(before, operator.process().cpu()?, size);
    let rate = number(size) / rotated.took.as_secs_f64();
    say(&format!("operator: {rate:.0} rotations/s"));
    let bare = ceiling.rotation;
    figures.push(Figure::beside(Measure::RotationRate, size, rate, bare));
    let bare = ceiling.processor;
    figures.push(Figure::beside(Measure::ProcessorTime, size, used, bare));
    let longest = longest(&rotated);
    figures.push(Figure::new(Measure::LongestRotationWait, size, longest));
    Ok(())
}

/// Milliseconds of a processor for one of so many.
fn each(before: Duration, after: Duration, size: usize) -> f64 {
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

/// In a queue that is served in its order, the last waits twice as long as the one in the middle.
fn longest(burst: &Burst) -> f64 {
    let waits = Spread::of(burst.waits.iter().copied());
    waits.worst() / waits.median().max(f64::MIN_POSITIVE)
}

/// Each pair and how often STS was asked about it, at most.
pub fn calls(stage: &Stage) -> f64 {
    let mut counts = std::collections::HashMap::<String, usize>::new();
    for call in stage.sts.calls() {
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
