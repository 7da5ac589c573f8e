//! Clients that are asked every second during a rotation.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures::future::join_all;

use crate::conformance::{
    running::{Answer, Running},
    scenario::At,
    sdk::FOLLOWED,
    way::Way,
};

const WAY: Way = Way::CREDENTIAL_PROCESS;
const PAUSE: Duration = Duration::from_secs(1);

/// Times of the rotation, and of the deactivation of the previous pair.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    pub rotated: Instant,
    pub deactivated: Instant,
}

/// Answers of one client, with the time of each request.
pub type Answers = Vec<(Instant, Answer)>;

/// Whether only [`each_second`] asks this client.
pub fn is_followed(pod: &Running<'_>, way: Way) -> bool {
    way == WAY && FOLLOWED.contains(&pod.part.name.as_str())
}

/// Asks each client once a second until `over` is set.
pub async fn each_second(pods: &[Running<'_>], over: &AtomicBool) -> BTreeMap<At, Answers> {
    let followed = pods.iter().filter(|pod| is_followed(pod, WAY));
    let all = followed.map(|pod| async move {
        let mut answers = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let asked = Instant::now();
            answers.push((asked, pod.ask(WAY).await));
            tokio::time::sleep(PAUSE.saturating_sub(asked.elapsed())).await;
        }
        ((pod.part.name.clone(), WAY), answers)
    });
    join_all(all).await.into_iter().collect()
}

/// Summary of one client in a line.
pub fn summary(at: &At, answers: &Answers, moments: &Moments, second: &str) -> String {
    let of_second = |(_, answer): &&(Instant, Answer)| answer.key.as_deref() == Some(second);
    let first = answers.iter().find(of_second);
    // Not every SDK reports the key that it used.
    let picked_up = first.map_or("at an unknown time".to_owned(), |(asked, _)| {
        let after = asked.saturating_duration_since(moments.rotated);
        format!("after {} s", after.as_secs())
    });
    format!(
        "{}: {} requests, {} failed; the new key {picked_up}, the old one deactivated after {} s",
        at.0,
        answers.len(),
        failures(answers).count(),
        (moments.deactivated - moments.rotated).as_secs()
    )
}

/// Fails if a request failed before the rotation, after it, or after the deactivation of the previous key.
pub fn judge(answers: &Answers, moments: &Moments) -> Result<()> {
    if let Some((_, failed)) = failures(answers).next() {
        anyhow::bail!(
            "{} of {} failed, first {failed:?}",
            failures(answers).count(),
            answers.len()
        );
    }
    let between = |from: Option<Instant>, to: Option<Instant>| {
        let within =
            |asked: Instant| from.is_none_or(|from| asked > from) && to.is_none_or(|to| asked < to);
        answers.iter().filter(|(asked, _)| within(*asked)).count()
    };
    for (what, least, count) in [
        // The first answer takes some seconds.
        (
            "before the rotation",
            1,
            between(None, Some(moments.rotated)),
        ),
        (
            "while both keys were active",
            60,
            between(Some(moments.rotated), Some(moments.deactivated)),
        ),
        ("afterwards", 3, between(Some(moments.deactivated), None)),
    ] {
        ensure!(count >= least, "asked {count} times {what}");
    }
    Ok(())
}

fn failures(answers: &Answers) -> impl Iterator<Item = &(Instant, Answer)> {
    answers.iter().filter(|(_, answer)| !answer.is_accepted())
}
