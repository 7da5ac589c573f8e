//! The target's files on this machine, updated as kubelet updates those that it mounts: replaced as a whole when
//! the Secret changes, and kept when it is deleted.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    runtime::{WatchStreamExt, watcher},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{demo_cluster::PATIENCE, manifests::TARGET};

/// The updates end with this value.
pub(crate) struct Mirror {
    task: JoinHandle<()>,
}

impl Mirror {
    /// Waits until the files exist.
    pub(crate) async fn start(secrets: Api<Secret>, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let (written, mut seen) = watch::channel(false);
        let task = tokio::spawn(follow(secrets, directory.to_owned(), written));
        let mirror = Self { task };
        tokio::time::timeout(PATIENCE, seen.wait_for(|written| *written))
            .await
            .context("the target does not come")?
            .context("the target cannot be followed")?;
        Ok(mirror)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(secrets: Api<Secret>, directory: PathBuf, written: watch::Sender<bool>) {
    let config = watcher::Config::default().fields(&format!("metadata.name={TARGET}"));
    let mut changes = Box::pin(watcher(secrets, config).default_backoff().applied_objects());
    loop {
        match changes.try_next().await {
            Ok(Some(secret)) => {
                written.send_replace(write(&secret, &directory).is_ok());
            }
            Ok(None) => return,
            // The watcher retries after a backoff.
            Err(_) => {}
        }
    }
}

fn write(secret: &Secret, directory: &Path) -> Result<()> {
    let data = secret.data.as_ref().context("the target is empty")?;
    for name in ["config", "credentials"] {
        let content = data.get(name).context("the target lacks a file")?;
        let new = directory.join(format!(".{name}"));
        std::fs::write(&new, &content.0)?;
        std::fs::rename(&new, directory.join(name))?;
    }
    Ok(())
}
