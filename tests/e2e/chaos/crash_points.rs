//! A process that is killed at any request and at any stage of it. An undisturbed run of each scenario
//! shows which requests there are, so new requests become new points without a change here.

mod broken;
mod point;
pub mod run;
pub mod scenario;

use std::sync::Arc;

use anyhow::{Result, ensure};
use futures::{FutureExt, StreamExt};
use point::{Point, points_of};
use run::{Fate, Finished, run};
use scenario::Scenario;
use tokio::sync::Semaphore;

use crate::{
    harness::test_env::{Test, TestCluster},
    report,
};

/// The number of concurrent runs, over all scenarios.
pub static PLACES: Semaphore = Semaphore::const_new(6);
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
    let calm = calm(&test_cluster, scenario).await?;
    let all = points_of(&calm.requests);
    let chosen = choose(&all);
    let fates = chosen
        .iter()
        .map(Fate::KilledAt)
        .chain([Fate::KilledAtOnce]);
    let ends: Vec<(String, Result<bool>)> = futures::stream::iter(fates)
        .map(|fate| attempt(Arc::clone(&test_cluster), scenario, fate, calm, &PLACES))
        .buffer_unordered(FEW)
        .collect()
        .await;
    let mut failures = Vec::new();
    let mut missed = Vec::new();
    for (place, end) in &ends {
        match end {
            Ok(true) => {}
            Ok(false) => missed.push(place.as_str()),
            Err(error) => failures.push(format!("{place}: {error:#}")),
        }
    }
    let tried = ends.len() - missed.len();
    let mut what = format!("kills, at {} of {} points", chosen.len(), all.len());
    if !missed.is_empty() {
        what += "; did not come up again: ";
        what += &missed.join(", ");
    }
    report::tried(scenario.name, tried, tried - failures.len(), &what);
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    let most = if scenario.races { tried } else { tried / 3 };
    ensure!(missed.len() <= most, "{what}");
    Ok(())
}

/// The undisturbed run of a scenario.
pub async fn calm(
    test_cluster: &Arc<TestCluster>,
    scenario: &'static Scenario,
) -> Result<&'static Finished> {
    let finished = scenario.calm.get_or_try_init(async || {
        let _place = PLACES.acquire().await?;
        run(Arc::clone(test_cluster), scenario, Fate::Undisturbed, None).await
    });
    finished.await
}

/// The point, and whether the process was killed there.
async fn attempt(
    test_cluster: Arc<TestCluster>,
    scenario: &Scenario,
    fate: Fate<'_>,
    calm: &Finished,
    places: &Semaphore,
) -> (String, Result<bool>) {
    let place = match fate {
        Fate::KilledAt(point) | Fate::Betrayed(point, _) => point.to_string(),
        Fate::KilledAtOnce | Fate::Undisturbed => "at once".to_owned(),
    };
    let end = async {
        let _place = places.acquire().await?;
        let finished = run(test_cluster, scenario, fate, Some(&calm.outcome)).await?;
        finished.compare(calm, scenario)?;
        Ok(finished.killed)
    };
    (place, end.await)
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
