//! The operator as users install it: the chart by Helm, the image in containerd, pods in namespaces
//! under `restricted`. Helm 4 starts from the objects that remain after Helm 3.

mod app;
mod chart;
mod release;
mod scenario;
mod site;

use std::sync::Arc;

use anyhow::Result;
use cluster::{node::Node, tools::Tool};

use crate::{TestCluster, suite::tests};

tests![it_is_installed_upgraded_and_uninstalled_and_nothing_is_lost,];

async fn it_is_installed_upgraded_and_uninstalled_and_nothing_is_lost(
    _: Arc<TestCluster>,
) -> Result<()> {
    if Node::is_lacking("the chart was installed on no node")? {
        return Ok(());
    }
    let site = site::Site::open().await?;
    for tool in [Tool::Helm3, Tool::Helm4] {
        scenario::of(&site, tool).await?;
    }
    // For each Helm: two replicas, and the replacement of the lost leader.
    site.logged_nothing(2 * 3)?;
    site.node.check()
}
