//! What a cluster leaves on the machine, and its removal: after a stop, or by the next holder of the slot when the
//! last one was killed.
//!
//! Processes and mounts need no removal: those of a node are in namespaces that end with it.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::network;

const CGROUPS: &str = "/sys/fs/cgroup";
const TRIES: u32 = 200;

/// Removes everything that bears the slot's number, if there is anything.
///
/// # Errors
/// When something is left.
pub fn remove(slot: u16, directory: &Path) -> Result<()> {
    remove_node(slot)?;
    remove_tree(directory)
}

/// Removes the cgroups and the network of the slot's node.
///
/// # Errors
/// When something is left.
pub fn remove_node(slot: u16) -> Result<()> {
    for root in cgroup_roots(slot) {
        remove_cgroup(&root)?;
    }
    network::remove(slot)
}

/// Removes a directory into which a killed program may still write its last file.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_tree(directory: &Path) -> Result<()> {
    for _ in 0..TRIES {
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                sleep(Duration::from_millis(50));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot remove {}", directory.display()));
            }
            _ => return Ok(()),
        }
    }
    anyhow::bail!("something keeps writing into {}", directory.display())
}

/// The cgroup that holds all of the slot's pods, as kubelet names it.
pub(crate) fn cgroup_name(slot: u16) -> String {
    format!("/static-aws-credentials-{slot}")
}

/// Makes the cgroup in each hierarchy, or in the only one of version 2.
pub(crate) fn make_cgroups(slot: u16) -> Result<()> {
    for root in hierarchies() {
        let path = root.join(cgroup_name(slot).trim_start_matches('/'));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    Ok(())
}

fn hierarchies() -> Vec<PathBuf> {
    let top = Path::new(CGROUPS);
    if top.join("cgroup.controllers").exists() {
        return vec![top.to_owned()];
    }
    let entries = fs::read_dir(top).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.join("cgroup.procs").exists())
        .collect()
}

fn cgroup_roots(slot: u16) -> Vec<PathBuf> {
    let name = cgroup_name(slot);
    let roots = hierarchies()
        .into_iter()
        .map(|root| root.join(name.trim_start_matches('/')));
    roots.filter(|path| path.is_dir()).collect()
}

/// Only `rmdir` removes a cgroup: from the leaves up, and only when no process is in it.
fn remove_cgroup(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path())?;
        }
    }
    for _ in 0..TRIES {
        match fs::remove_dir(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                kill_all(path);
                sleep(Duration::from_millis(50));
            }
            _ => return Ok(()),
        }
    }
    ensure!(!path.exists(), "processes stay in {}", path.display());
    Ok(())
}

fn kill_all(cgroup: &Path) {
    let processes = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let ids = processes.lines().filter_map(|id| id.parse().ok());
    for pid in ids.filter_map(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
