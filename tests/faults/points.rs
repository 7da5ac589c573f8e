//! A process that is killed at any request and at any stage of it. An undisturbed run of each story
//! shows which requests there are, so new requests become new points without a change here.

mod broken;
pub mod play;
mod point;
pub mod story;

use std::sync::Arc;

use anyhow::{Result, ensure};
use futures::{FutureExt, StreamExt};
use play::{Fate, Played, play};
use point::{Point, points_of};
use story::Story;
use tokio::sync::Semaphore;

use crate::{
    report,
    scene::{Stage, Test},
};

/// The number of concurrent runs, over all stories.
pub static PLACES: Semaphore = Semaphore::const_new(6);
/// Points of a story in the quick form.
const FEW: usize = 12;

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (story::LEAD.name, |stage| {
            survive(stage, &story::LEAD).boxed_local()
        }),
        (story::START.name, |stage| {
            survive(stage, &story::START).boxed_local()
        }),
        (story::CREATE.name, |stage| {
            survive(stage, &story::CREATE).boxed_local()
        }),
        (story::ROTATE.name, |stage| {
            survive(stage, &story::ROTATE).boxed_local()
        }),
        (story::RESTART.name, |stage| {
            survive(stage, &story::RESTART).boxed_local()
        }),
        (story::SPOIL.name, |stage| {
            survive(stage, &story::SPOIL).boxed_local()
        }),
        (story::RETARGET.name, |stage| {
            survive(stage, &story::RETARGET).boxed_local()
        }),
        (story::RETARGET_AND_ROTATE.name, |stage| {
            survive(stage, &story::RETARGET_AND_ROTATE).boxed_local()
        }),
        (story::RETAIN.name, |stage| {
            survive(stage, &story::RETAIN).boxed_local()
        }),
        (story::LAYOUTS.name, |stage| {
            survive(stage, &story::LAYOUTS).boxed_local()
        }),
        (story::WITHDRAW.name, |stage| {
            survive(stage, &story::WITHDRAW).boxed_local()
        }),
        (story::DELETE.name, |stage| {
            survive(stage, &story::DELETE).boxed_local()
        }),
        (story::DELETE_AND_RETAIN.name, |stage| {
            survive(stage, &story::DELETE_AND_RETAIN).boxed_local()
        }),
        (story::RECREATE.name, |stage| {
            survive(stage, &story::RECREATE).boxed_local()
        }),
        (story::ADOPT.name, |stage| {
            survive(stage, &story::ADOPT).boxed_local()
        }),
        (story::RESTORE.name, |stage| {
            survive(stage, &story::RESTORE).boxed_local()
        }),
        (story::MEND.name, |stage| {
            survive(stage, &story::MEND).boxed_local()
        }),
        (broken::NAME, |stage| broken::noticed(stage).boxed_local()),
    ]
}

/// Runs a story once undisturbed, and once for each point.
async fn survive(stage: Arc<Stage>, story: &'static Story) -> Result<()> {
    let calm = calm(&stage, story).await?;
    let all = points_of(&calm.requests);
    let chosen = choose(&all);
    let fates = chosen
        .iter()
        .map(Fate::KilledAt)
        .chain([Fate::KilledAtOnce]);
    let ends: Vec<(String, Result<bool>)> = futures::stream::iter(fates)
        .map(|fate| attempt(Arc::clone(&stage), story, fate, calm, &PLACES))
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
    report::tried(story.name, tried, tried - failures.len(), &what);
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    let most = if story.races { tried } else { tried / 3 };
    ensure!(missed.len() <= most, "{what}");
    Ok(())
}

/// The undisturbed run of a story.
pub async fn calm(stage: &Arc<Stage>, story: &'static Story) -> Result<&'static Played> {
    let played = story.calm.get_or_try_init(async || {
        let _place = PLACES.acquire().await?;
        play(Arc::clone(stage), story, Fate::Undisturbed, None).await
    });
    played.await
}

/// The point, and whether the process was killed there.
async fn attempt(
    stage: Arc<Stage>,
    story: &Story,
    fate: Fate<'_>,
    calm: &Played,
    places: &Semaphore,
) -> (String, Result<bool>) {
    let place = match fate {
        Fate::KilledAt(point) | Fate::Betrayed(point, _) => point.to_string(),
        Fate::KilledAtOnce | Fate::Undisturbed => "at once".to_owned(),
    };
    let end = async {
        let _place = places.acquire().await?;
        let played = play(stage, story, fate, Some(&calm.outcome)).await?;
        played.compare(calm, story)?;
        Ok(played.killed)
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
