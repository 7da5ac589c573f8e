//! Counts of requests to the API server and calls to STS. A proxy counts the requests, so nothing is timed here.

use std::{path::Path, time::Duration};

use anyhow::Result;
use cluster::proxy::{Counts, Proxy};

use crate::{
    args::{Args, Mode},
    figure::Figure,
    measure::Measure,
    operator::Operator,
    ours::Ours,
    rest::{CHANGES, SPAN},
    stats::number,
    test_cluster::TestCluster,
    unrelated::Unrelated,
};

const ROTATIONS: usize = 20;
/// After this time without a request, an operation counts as complete.
const QUIET: Duration = Duration::from_secs(2);

/// Counts over a restart, an idle period, unrelated changes, and rotations.
pub async fn count(
    test_cluster: &TestCluster,
    args: &Args,
    program: &Path,
    ours: &Ours,
    unrelated: &Unrelated,
) -> Result<Vec<Figure>> {
    let size = ours.space.shape.count;
    let proxy = Proxy::start(test_cluster.cluster.url(), &test_cluster.cluster.ca_pem()).await?;
    let calls = test_cluster.sts.calls().len();
    let operator = Operator::start(test_cluster, program, Some(&proxy.url())).await?;
    operator.ready().await?;
    operator.process().until_at_rest().await?;
    let mut figures = Vec::new();
    if args.measures(Mode::Restart) {
        let counts = since(&proxy, 0).await;
        let writes = counts.written() + counts.events + counts.rehearsals;
        let asked = test_cluster.sts.calls().len() - calls;
        figures.push((Measure::RestartGets, number(counts.gets)));
        figures.push((Measure::RestartWrites, number(writes)));
        figures.push((Measure::RestartLists, number(counts.lists)));
        figures.push((Measure::RestartCalls, number(asked)));
    }
    if args.measures(Mode::Idle) {
        let mark = proxy.mark();
        tokio::time::sleep(SPAN).await;
        let count = all(&proxy.counts(mark));
        figures.push((Measure::IdleRequests, number(count)));
    }
    if args.measures(Mode::Churn) {
        let mark = proxy.mark();
        unrelated.change(CHANGES, SPAN / 3).await?;
        let count = all(&since(&proxy, mark).await);
        figures.push((Measure::ChurnRequests, number(count)));
    }
    if args.measures(Mode::Sequential) {
        figures.extend(rotations(&proxy, ours).await?);
    }
    operator.stop().await?;
    let figures = figures.into_iter();
    Ok(figures
        .map(|(measure, count)| Figure::new(measure, size, count))
        .collect())
}

/// The requests per rotation.
async fn rotations(proxy: &Proxy, ours: &Ours) -> Result<[(Measure, f64); 2]> {
    // After a start the first rotation of a resource may read the target too.
    for turn in 0..ROTATIONS {
        ours.alone(turn).await?;
    }
    let mark = proxy.mark();
    for turn in 0..ROTATIONS {
        ours.alone(turn).await?;
    }
    let counts = since(proxy, mark).await;
    let each = |count: usize| number(count) / number(ROTATIONS);
    Ok([
        (Measure::GetsPerRotation, each(counts.gets)),
        (Measure::WritesPerRotation, each(counts.written())),
    ])
}

async fn since(proxy: &Proxy, mark: usize) -> Counts {
    proxy.quiet(QUIET).await;
    proxy.counts(mark)
}

/// All requests but watches, which are renewed every 50 s in any case.
fn all(counts: &Counts) -> usize {
    let Counts {
        gets,
        lists,
        watches: _,
        writes: _,
        events,
        rehearsals,
        other,
    } = counts;
    gets + lists + counts.written() + events + rehearsals + other
}
