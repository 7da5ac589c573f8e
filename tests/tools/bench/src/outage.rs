//! STS is unavailable for a while, and comes back.

use std::time::{Duration, Instant};

use anyhow::Result;
use cluster::sts::Answer;

use crate::{
    figure::Figure, measure::Measure, ours::Ours, progress::say, test_cluster::TestCluster,
};

/// Long enough for the backoff to grow.
const AWAY: Duration = Duration::from_mins(1);

/// Seconds from the return of STS until the last resource is ready, after all sources were rotated at the start of
/// the outage.
pub async fn measure(
    test_cluster: &TestCluster,
    ours: &Ours,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let unavailable = Answer::error(503, "ServiceUnavailable", "away");
    test_cluster.sts.answer_by_default(unavailable);
    let began = Instant::now();
    let back = async {
        tokio::time::sleep(AWAY).await;
        test_cluster.accept_all();
        anyhow::Ok(began.elapsed())
    };
    let (burst, away) = tokio::try_join!(ours.rotate(), back)?;
    let waited = burst.took.saturating_sub(away).as_secs_f64();
    say(&format!(
        "operator: all ready {waited:.1} s after an outage"
    ));
    figures.push(Figure::new(Measure::OutageEnd, size, waited));
    Ok(())
}
