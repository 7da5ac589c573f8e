//! Several clusters on one machine: each holds a numbered slot, from which its directory, ports, bridge, subnet
//! and cgroups follow.
//!
//! The slot is a file lock, which the kernel releases when its holder dies. The next holder may therefore remove
//! everything that bears the slot's number: no living process needs it.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Context, Result, bail, ensure};

/// Below the ports that the kernel assigns to outgoing connections (32768 and up), so that the port of a stopped
/// API server is still free when it starts again.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 40;
const SLOTS: u16 = 200;

/// The slot of one cluster on this machine, released when this value is dropped.
///
/// With `KEEP_CLUSTER` in the environment, the directory, logs included, is kept until the next cluster starts.
#[derive(Debug)]
pub struct HostAllocation {
    number: u16,
    directory: PathBuf,
    tried: AtomicU16,
    _lock: File,
}

impl HostAllocation {
    /// Takes the first free slot, after removing the remains of clusters whose processes were killed.
    ///
    /// # Errors
    /// When no slot is free or its directory cannot be made.
    pub fn take() -> Result<Self> {
        let base = base()?;
        remove_abandoned(&base)?;
        for number in 0..SLOTS {
            let Some(lock) = try_lock(&base, number)? else {
                continue;
            };
            let directory = base.join(number.to_string());
            crate::cleanup::remove(number, &directory)?;
            private_directory(&directory)?;
            return Ok(Self {
                number,
                directory,
                tried: AtomicU16::new(0),
                _lock: lock,
            });
        }
        bail!("{SLOTS} clusters run on this machine already")
    }

    /// The number, unique among the clusters that run on this machine.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The slot's own directory, which only the current user can read.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The first three bytes of the subnet of the pods.
    fn subnet_prefix(&self) -> (u8, u8, u8) {
        // 198.18.0.0/15 is reserved for tests of this kind, so it hides no network in use.
        (198, 18, u8::try_from(self.number).unwrap_or(u8::MAX))
    }

    /// The subnet of the pods.
    #[must_use]
    pub fn subnet(&self) -> String {
        let (a, b, c) = self.subnet_prefix();
        format!("{a}.{b}.{c}.0/24")
    }

    /// The host's address in the subnet of the pods, once a node runs.
    #[must_use]
    pub fn bridge_address(&self) -> Ipv4Addr {
        let (a, b, c) = self.subnet_prefix();
        Ipv4Addr::new(a, b, c, 1)
    }

    /// A port of 127.0.0.1 that nothing listens on and that no other slot gives out.
    ///
    /// # Errors
    /// When all ports of the slot are taken.
    pub fn port(&self) -> Result<u16> {
        loop {
            let tried = self.tried.fetch_add(1, Ordering::Relaxed);
            ensure!(tried < PORTS, "all ports of slot {} are taken", self.number);
            let port = FIRST_PORT + self.number * PORTS + tried;
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(port);
            }
        }
    }
}

impl Drop for HostAllocation {
    fn drop(&mut self) {
        if std::env::var_os("KEEP_CLUSTER").is_some() {
            eprintln!("kept {}", self.directory.display());
        } else if let Err(error) = crate::cleanup::remove(self.number, &self.directory) {
            eprintln!("cannot clean up after cluster {}: {error:#}", self.number);
        }
    }
}

/// Removes the remains of clusters whose processes were killed.
fn remove_abandoned(base: &Path) -> Result<()> {
    for number in 0..SLOTS {
        let directory = base.join(number.to_string());
        if !directory.exists() {
            continue;
        }
        if let Some(_lock) = try_lock(base, number)? {
            crate::cleanup::remove(number, &directory)?;
        }
    }
    Ok(())
}

/// The same directory for all processes of a user, hence not `TMPDIR`: they must find each other's locks.
fn base() -> Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let base = PathBuf::from(format!("/tmp/static-aws-credentials-{user}"));
    private_directory(&base)?;
    let owner = std::fs::symlink_metadata(&base)?;
    let ours = owner.is_dir() && owner.uid() == user;
    ensure!(ours, "{} belongs to someone else", base.display());
    Ok(base)
}

fn private_directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

fn try_lock(base: &Path, number: u16) -> Result<Option<File>> {
    let path = base.join(format!("{number}.lock"));
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock a slot"),
    }
}
