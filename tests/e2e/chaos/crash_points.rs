//! A process that is killed at any request and at any stage of it. An undisturbed run of each scenario, the baseline,
//! shows which requests there are, so new requests become new points without a change here.

mod broken;
mod point;
pub mod run;
pub mod scenario;

use std::sync::Arc;

use anyhow::{Result, ensure};
use futures::{FutureExt, StreamExt};
use point::{Point, points_of};
use run::{Disruption, Finished, run};
use scenario::Scenario;
use tokio::sync::Semaphore;

use crate::{
    harness::test_env::{Test, TestCluster},
    report,
};

/// The number of concurrent runs, over all scenarios.
pub static PERMITS: Semaphore = Semaphore::const_new(6);
/// Points of a scenario in the quick form.
const FEW: usize = 12;

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (scenario::LEAD.name, |test_cluster| {
            survive(test_cluster, &scenario::LEAD).boxed_local()
        }),
        (scenario::START.name, |test_cluster| {
            survive(test_cluster, &scenario::START).boxed_local()
        }),
        (scenario::CREATE.name, |test_cluster| {
            survive(test_cluster, &scenario::CREATE).boxed_local()
        }),
        (scenario::ROTATE.name, |test_cluster| {
            survive(test_cluster, &scenario::ROTATE).boxed_local()
        }),
        (scenario::RESTART.name, |test_cluster| {
            survive(test_cluster, &scenario::RESTART).boxed_local()
        }),
        (scenario::SPOIL.name, |test_cluster| {
            survive(test_cluster, &scenario::SPOIL).boxed_local()
        }),
        (scenario::RETARGET.name, |test_cluster| {
            survive(test_cluster, &scenario::RETARGET).boxed_local()
        }),
        (scenario::RETARGET_AND_ROTATE.name, |test_cluster| {
            survive(test_cluster, &scenario::RETARGET_AND_ROTATE).boxed_local()
        }),
        (scenario::RETAIN.name, |test_cluster| {
            survive(test_cluster, &scenario::RETAIN).boxed_local()
        }),
        (scenario::LAYOUTS.name, |test_cluster| {
            survive(test_cluster, &scenario::LAYOUTS).boxed_local()
        }),
        (scenario::WITHDRAW.name, |test_cluster| {
            survive(test_cluster, &scenario::WITHDRAW).boxed_local()
        }),
        (scenario::DELETE.name, |test_cluster| {
            survive(test_cluster, &scenario::DELETE).boxed_local()
        }),
        (scenario::DELETE_AND_RETAIN.name, |test_cluster| {
            survive(test_cluster, &scenario::DELETE_AND_RETAIN).boxed_local()
        }),
        (scenario::RECREATE.name, |test_cluster| {
            survive(test_cluster, &scenario::RECREATE).boxed_local()
        }),
        (scenario::ADOPT.name, |test_cluster| {
            survive(test_cluster, &scenario::ADOPT).boxed_local()
        }),
        (scenario::RESTORE.name, |test_cluster| {
            survive(test_cluster, &scenario::RESTORE).boxed_local()
        }),
        (scenario::MEND.name, |test_cluster| {
            survive(test_cluster, &scenario::MEND).boxed_local()
        }),
        (broken::NAME, |test_cluster| {
            broken::noticed(test_cluster).boxed_local()
        }),
    ]
}

/// Runs a scenario once undisturbed, and once for each point.
async fn survive(test_cluster: Arc<TestCluster>, scenario: &'static Scenario) -> Result<()> {
    let baseline = baseline(&test_cluster, scenario).await?;
    let all = points_of(&baseline.requests);
    let chosen = choose(&all);
    let disruptions = chosen
        .iter()
        .map(Disruption::KillAt)
        .chain([Disruption::KillAtOnce]);
    let ends: Vec<(String, Result<bool>)> = futures::stream::iter(disruptions)
        .map(|disruption| {
            attempt(
                Arc::clone(&test_cluster),
                scenario,
                disruption,
                baseline,
                &PERMITS,
            )
        })
        .buffer_unordered(FEW)
        .collect()
        .await;
    let mut failures = Vec::new();
    let mut missed = Vec::new();
    for (name, end) in &ends {
        match end {
            Ok(true) => {}
            Ok(false) => missed.push(name.as_str()),
            Err(error) => failures.push(format!("{name}: {error:#}")),
        }
    }
    let tried = ends.len() - missed.len();
    let mut what = format!("kills, at {} of {} points", chosen.len(), all.len());
    if !missed.is_empty() {
        what += "; not reached again: ";
        what += &missed.join(", ");
    }
    report::tried(scenario.name, tried, tried - failures.len(), &what);
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    let most = if scenario.races { tried } else { tried / 3 };
    ensure!(missed.len() <= most, "{what}");
    Ok(())
}

/// The baseline of a scenario, which runs once.
pub async fn baseline(
    test_cluster: &Arc<TestCluster>,
    scenario: &'static Scenario,
) -> Result<&'static Finished> {
    let finished = scenario.baseline.get_or_try_init(async || {
        let _permit = PERMITS.acquire().await?;
        run(Arc::clone(test_cluster), scenario, Disruption::None, None).await
    });
    finished.await
}

/// The name of the point, and whether the process was killed there.
async fn attempt(
    test_cluster: Arc<TestCluster>,
    scenario: &Scenario,
    disruption: Disruption<'_>,
    baseline: &Finished,
    permits: &Semaphore,
) -> (String, Result<bool>) {
    let name = match disruption {
        Disruption::KillAt(point) | Disruption::KillAndSabotage(point, _) => point.to_string(),
        Disruption::KillAtOnce | Disruption::None => "at once".to_owned(),
    };
    let end = async {
        let _permit = permits.acquire().await?;
        let finished = run(test_cluster, scenario, disruption, Some(&baseline.outcome)).await?;
        finished.compare(baseline, scenario)?;
        Ok(finished.killed)
    };
    (name, end.await)
}

/// All points, or a few that are spread evenly.
fn choose(all: &[Point]) -> Vec<Point> {
    if report::thorough() || all.len() <= FEW {
        return all.to_vec();
    }
    (0..FEW)
        .map(|at| all[at * all.len() / FEW].clone())
        .collect()
}
