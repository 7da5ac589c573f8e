//! The operator as people install it: the chart by Helm, the image in containerd, pods in namespaces
//! under `restricted`. Helm 3 goes first, and what it leaves behind is what Helm 4 finds.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod app;
mod chart;
mod release;
mod site;
mod story;

use anyhow::{Result, ensure};
use cluster::{node::Node, tools::Tool};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_installed_upgraded_and_uninstalled_and_nothing_is_lost() -> Result<()> {
    if is_unsupported()? {
        return Ok(());
    }
    let site = site::Site::open().await?;
    for tool in [Tool::Helm3, Tool::Helm4] {
        story::of(&site, tool).await?;
    }
    // One of the earlier chart, two of the present, and the one that came for the lost leader.
    site.logged_nothing(2 * 4)?;
    site.node.check()
}

/// Whether the suite has to be skipped, which it says loudly.
fn is_unsupported() -> Result<bool> {
    let Err(reason) = Node::supported() else {
        return Ok(false);
    };
    // Continuous integration sets this, so that the suite cannot vanish there unseen.
    ensure!(
        std::env::var_os("CI").is_none(),
        "the chart was installed on no node: {reason}"
    );
    eprintln!("SKIPPED: the chart was installed on no node, because {reason}");
    Ok(true)
}
