//! containerd, and the import of images into it.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use ::image::read::name as archived_name;
use anyhow::{Context, Result, ensure};

use super::{
    config::{self, Layout},
    image, machine,
    sandbox::{enter, namespaces, wait_for},
};
use crate::{child_process::ChildProcess, control_plane::flag};

/// A running containerd. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Runtime {
    containerd: Arc<ChildProcess>,
    ctr: PathBuf,
    socket: PathBuf,
    directory: PathBuf,
    inside: [String; 3],
}

impl Runtime {
    /// Starts containerd with the network plugins of the directory `cni`, and waits until it listens. Blocks.
    pub(super) fn start(sandbox: &ChildProcess, layout: &Layout, cni: &Path) -> Result<Self> {
        let program = machine::program("containerd").context("no containerd")?;
        let args = [flag("config", config::containerd(layout, cni)?.display())];
        let containerd = enter(sandbox, layout, "containerd", &program, &args)?;
        wait_for(&containerd, "containerd's socket", || {
            UnixStream::connect(layout.socket()).is_ok()
        })?;
        Ok(Self {
            containerd: Arc::new(containerd),
            ctr: machine::program("ctr").context("no ctr")?,
            socket: layout.socket(),
            directory: layout.directory.clone(),
            inside: namespaces(sandbox),
        })
    }

    pub(super) fn containerd(&self) -> &ChildProcess {
        &self.containerd
    }

    /// Makes an image of a static binary and gives it to containerd. Blocks.
    pub(super) fn import(
        &self,
        name: &str,
        binary: &Path,
        extra_files: &[(String, Vec<u8>)],
    ) -> Result<()> {
        let archive = tempfile::NamedTempFile::new_in(&self.directory)?;
        image::write(archive.path(), name, binary, extra_files)?;
        self.import_archive(archive.path(), name)
    }

    /// Imports the image in an archive as `name`, regardless of its name there. Blocks.
    pub(super) fn import_archive(&self, archive: &Path, name: &str) -> Result<()> {
        let (name, own) = (full_name(name), archived_name(archive)?);
        let path = archive.display().to_string();
        self.ctr(&["images", "import", &path])?;
        if own != name {
            self.ctr(&["images", "tag", "--force", &own, &name])?;
        }
        // containerd's CRI plugin, which kubelet asks, learns of the image a moment later and labels it then.
        wait_for(&self.containerd, &name, || {
            let listed = self.ctr(&["images", "list", &format!("name=={name}")]);
            listed.is_ok_and(|list| list.contains("io.cri-containerd.image=managed"))
        })
    }

    fn ctr(&self, args: &[&str]) -> Result<String> {
        // Unpacking an image needs mounts, so `ctr` must run in the node's namespaces.
        let output = Command::new("nsenter")
            .args(&self.inside)
            .arg(&self.ctr)
            .arg("--address")
            .arg(&self.socket)
            .args(["--namespace", "k8s.io"])
            .args(args)
            .output()
            .context("cannot start ctr")?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "ctr {}: {}",
            args.join(" "),
            words.trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The reference that kubelet asks for. A name without a registry is one of Docker Hub.
fn full_name(name: &str) -> String {
    let first = name.split('/').next().unwrap_or_default();
    let is_registry = first != name && (first.contains(['.', ':']) || first == "localhost");
    match name.contains('/') {
        _ if is_registry => name.to_owned(),
        true => format!("docker.io/{name}"),
        false => format!("docker.io/library/{name}"),
    }
}
