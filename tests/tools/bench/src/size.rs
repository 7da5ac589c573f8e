//! Everything that is measured at one number of resources, in a cluster of its own.

use std::{path::Path, time::Duration};

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    bursts, ceiling, counting,
    figure::Figure,
    measure::Measure,
    operator::Operator,
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
    let ceiling = ceiling::measure(&test_cluster, args, size).await?;

    let operator = Operator::start(&test_cluster, program, None).await?;
    operator.ready().await?;
    if args.measures_last(Mode::Idle, size) {
        bursts::idle(&operator, &mut figures).await?;
    }
    let ours = bursts::ours(&test_cluster, args, &operator, size, &ceiling, &mut figures).await?;
    if args.measures(Mode::Memory) {
        rest::after_bursts(&operator, size, &mut figures).await?;
    }
    figures.push(Figure::new(
        Measure::CallsPerPair,
        size,
        bursts::calls(&test_cluster),
    ));
    // After the calls per pair are counted, since an outage needs several.
    if args.measures(Mode::Outage) {
        outage::measure(&test_cluster, &ours, size, &mut figures).await?;
    }
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

async fn settled(
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
