//! The work before the first step: programs that are built or installed once.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use anyhow::Result;
use cluster::{
    binaries::{self, Binary},
    moto::Moto,
    node::Node,
    s3client,
};
use tokio::task::spawn_blocking;

use crate::{args::Args, demo_cluster::DemoCluster, steps::Demo};

/// Finds the user's cluster, and builds missing programs. The demo's time does not include this.
pub(crate) async fn prepare(args: &Args, demo: &mut Demo) -> Result<()> {
    if let Some(context) = &args.context {
        demo.cluster = Some(DemoCluster::of_context(context).await?);
    }
    let mut wanted = Vec::new();
    if args.context.is_none() {
        wanted.extend([
            Binary::Etcd,
            Binary::KubeApiserver,
            Binary::Kubectl,
            Binary::KubeControllerManager,
        ]);
    }
    let pod = wants_pod(args);
    if pod {
        wanted.extend([Binary::KubeScheduler, Binary::Kubelet]);
    }
    let client = !args.aws || args.bucket.is_some();
    let built = spawn_blocking(move || {
        binaries::find(&wanted)?;
        if pod {
            let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("pause");
            binaries::go_binary(&module, ".", "pause", 10)?;
        }
        let client = client.then(s3client::binary).transpose()?;
        anyhow::Ok(client)
    });
    let client = built.await??;
    if let Some(client) = client.filter(|_| !args.aws) {
        install_moto(&client).await?;
    }
    Ok(())
}

/// moto is installed when it starts for the first time, beside the client in the cache.
async fn install_moto(client: &Path) -> Result<()> {
    let cache = client.parent().and_then(Path::parent);
    let entries = cache.and_then(|cache| std::fs::read_dir(cache).ok());
    let mut names = { entries.into_iter().flatten().flatten() }.map(|entry| entry.file_name());
    if !names.any(|name| name.as_encoded_bytes().starts_with(b"moto-")) {
        Moto::start(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
    }
    Ok(())
}

/// Whether a node can and should be started.
pub(crate) fn wants_pod(args: &Args) -> bool {
    !args.no_pod && !args.aws && args.context.is_none() && Node::supported().is_ok()
}
