//! A large cluster, once: a start of the operator, and its requests and memory afterwards.

use std::{path::Path, time::Duration};

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    counting,
    operator::Operator,
    ours::Ours,
    progress::say,
    size::{self, Measured},
    space::Space,
    test_cluster::TestCluster,
    unrelated::Unrelated,
};

/// The modes that measure settled resources.
const MODES: [Mode; 3] = [Mode::Restart, Mode::Memory, Mode::Idle];

/// Measures the operator with `args.large` resources, which another process of it has published.
pub async fn measure(args: &Args, program: &Path) -> Result<Measured> {
    let size = args.large;
    eprintln!("{size} resources, once");
    let test_cluster = TestCluster::start(Duration::from_millis(args.sts_delay)).await?;
    let kubernetes = test_cluster.client.apiserver_version().await?.git_version;
    let ours = published(&test_cluster, args, program).await?;
    let args = Args {
        // No size is the largest one, so nothing is measured with large Secrets.
        sizes: Vec::new(),
        mode: MODES.to_vec(),
        ..args.clone()
    };
    let none = Unrelated::new(&test_cluster.client, &ours.space.namespace, 0, args.clients);
    let mut figures = Vec::new();
    size::settled(&test_cluster, &args, program, &none, size, &mut figures).await?;
    figures.extend(counting::count(&test_cluster, &args, program, &ours, &none).await?);
    Ok(Measured {
        figures,
        kubernetes,
    })
}

async fn published(test_cluster: &TestCluster, args: &Args, program: &Path) -> Result<Ours> {
    let operator = Operator::start(test_cluster, program, None).await?;
    operator.ready().await?;
    let space = Space::open(test_cluster, args, "large", args.large).await?;
    let ours = Ours::seed(test_cluster, space).await?;
    let seconds = ours.create().await?.took.as_secs_f64();
    say(&format!("operator: all are published in {seconds:.0} s"));
    operator.process().until_at_rest().await?;
    operator.stop().await?;
    Ok(ours)
}
