//! The operator with settled resources: its start, its memory, and its cost when nothing changes
//! that concerns it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    figure::Figure,
    measure::Measure,
    operator::Operator,
    process::milli_cpu,
    progress::say,
    test_cluster::TestCluster,
    unrelated::{Large, Unrelated},
};

/// The duration of an idle period, or of unrelated changes.
pub const SPAN: Duration = Duration::from_secs(30);
/// Changes of unrelated Secrets per second.
pub const CHANGES: usize = 500;

/// Memory of the process that did all the work.
pub async fn after_bursts(
    operator: &Operator,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    operator.process().until_at_rest().await?;
    let memory = operator.process().resident()?;
    say(&format!("operator: {memory:.1} MiB after the bursts"));
    figures.push(Figure::new(Measure::MemoryAfterBursts, size, memory));
    Ok(())
}

/// A new process with settled resources and an otherwise idle API server.
pub async fn restart(
    test_cluster: &TestCluster,
    args: &Args,
    program: &Path,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<Operator> {
    let operator = Operator::start(test_cluster, program, None).await?;
    let seconds = operator.ready().await?.as_secs_f64();
    operator.process().until_at_rest().await?;
    let (settled, peak) = (operator.process().resident()?, operator.process().peak()?);
    say(&format!(
        "operator: ready in {seconds:.2} s, {settled:.1} MiB, {peak:.1} MiB at most"
    ));
    if args.measures(Mode::Restart) {
        figures.push(Figure::new(Measure::RestartTime, size, seconds));
    }
    if args.measures(Mode::Memory) {
        figures.push(Figure::new(Measure::SettledMemory, size, settled));
        figures.push(Figure::new(Measure::StartPeak, size, peak));
    }
    Ok(operator)
}

/// CPU use when nothing changes.
pub async fn idle(operator: &Operator, size: usize, figures: &mut Vec<Figure>) -> Result<()> {
    let (before, began) = (operator.process().cpu()?, Instant::now());
    tokio::time::sleep(SPAN).await;
    let used = operator.process().cpu()?.saturating_sub(before);
    let used = milli_cpu(used, began.elapsed());
    say(&format!("operator: {used:.2} mCPU when nothing changes"));
    figures.push(Figure::new(Measure::IdleCpu, size, used));
    Ok(())
}

/// CPU use while unrelated Secrets change.
pub async fn churn(
    operator: &Operator,
    unrelated: &Unrelated,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let (before, began) = (operator.process().cpu()?, Instant::now());
    let rate = unrelated.change(CHANGES, SPAN).await?;
    let used = operator.process().cpu()?.saturating_sub(before);
    let used = milli_cpu(used, began.elapsed());
    say(&format!(
        "operator: {used:.1} mCPU with {rate:.0} unrelated changes/s"
    ));
    figures.push(Figure::new(Measure::ChurnCpu, size, used));
    figures.push(Figure::new(Measure::ChurnChanges, size, rate));
    Ok(())
}

/// The growth of memory with large Secrets, of a running operator and at a start.
pub async fn large(
    test_cluster: &TestCluster,
    operator: Operator,
    program: &Path,
    unrelated: &Unrelated,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    for (large, measure) in [
        (Large::Data, Measure::LargeSecrets),
        (Large::Annotations, Measure::LargeAnnotations),
    ] {
        let before = operator.process().resident()?;
        unrelated.create_large(large).await?;
        operator.process().until_at_rest().await?;
        let more = operator.process().resident()? - before;
        say(&format!(
            "operator: {more:+.2} MiB with {} large Secrets",
            large.count()
        ));
        figures.push(Figure::new(measure, size, more));
    }
    operator.stop().await?;
    let operator = Operator::start(test_cluster, program, None).await?;
    operator.ready().await?;
    operator.process().until_at_rest().await?;
    let peak = operator.process().peak()?;
    say(&format!(
        "operator: {peak:.1} MiB at most in a start beside them"
    ));
    figures.push(Figure::new(Measure::LargeStartPeak, size, peak));
    operator.stop().await?;
    unrelated.delete_large(Large::Data).await?;
    unrelated.delete_large(Large::Annotations).await
}
