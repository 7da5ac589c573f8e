//! Everything that is measured at one number of resources, in a cluster of its own.

use std::{path::Path, time::Duration};

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    bursts::{self, Served},
    ceiling, comparison, counting,
    figure::Figure,
    measure::Measure,
    outage,
    progress::say,
    rest,
    test_cluster::TestCluster,
    unrelated::Unrelated,
};

/// The figures, and the version of the API server.
pub struct Measured {
    pub figures: Vec<Figure>,
    pub kubernetes: String,
}

/// Measures, and ends all that it started.
pub async fn measure(args: &Args, program: &Path, size: usize) -> Result<Measured> {
    eprintln!("{size} resources");
    let mut figures = Vec::new();
    let test_cluster = TestCluster::start(Duration::from_millis(args.sts_delay)).await?;
    let kubernetes = test_cluster.client.apiserver_version().await?.git_version;
    let namespace = test_cluster.cluster.namespace("unrelated").await?;
    let unrelated = Unrelated::new(&test_cluster.client, &namespace, size, args.clients);
    unrelated.create().await?;
    say(&format!("{size} unrelated Secrets are there"));
    ceiling::warm(&test_cluster, args).await?;
    let served = comparison::compare(&test_cluster, args, program, size, &mut figures).await?;
    if args.measures(Mode::Memory) {
        served.rotate_again(args).await?;
        rest::after_bursts(&served.operator, size, &mut figures).await?;
    }
    figures.push(Figure::new(
        Measure::CallsPerPair,
        size,
        bursts::calls(&test_cluster),
    ));
    // After the calls per pair are counted, since an outage needs several.
    if args.measures(Mode::Outage) {
        outage::measure(&test_cluster, &served.ours, size, &mut figures).await?;
    }
    let Served { operator, ours, .. } = served;
    operator.stop().await?;

    settled(&test_cluster, args, program, &unrelated, size, &mut figures).await?;
    let counted = [Mode::Restart, Mode::Idle, Mode::Churn, Mode::Sequential];
    if counted.iter().any(|mode| args.measures(*mode)) {
        figures.extend(counting::count(&test_cluster, args, program, &ours, &unrelated).await?);
    }
    Ok(Measured {
        figures,
        kubernetes,
    })
}

/// The operator with settled resources, as a new process.
pub async fn settled(
    test_cluster: &TestCluster,
    args: &Args,
    program: &Path,
    unrelated: &Unrelated,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let modes = [Mode::Restart, Mode::Memory, Mode::Idle, Mode::Churn];
    if !modes.iter().any(|mode| args.measures(*mode)) {
        return Ok(());
    }
    let operator = rest::restart(test_cluster, args, program, size, figures).await?;
    if args.measures(Mode::Idle) {
        rest::idle(&operator, size, figures).await?;
    }
    if args.measures(Mode::Churn) {
        rest::churn(&operator, unrelated, size, figures).await?;
    }
    if args.measures_last(Mode::Memory, size) {
        return rest::large(test_cluster, operator, program, unrelated, size, figures).await;
    }
    operator.stop().await
}
