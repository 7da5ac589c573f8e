//! The folder for programs and packages that take long to build or install.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The folder, which may not exist yet. `demo_launcher` finds the same one, without a dependency on this crate.
///
/// # Errors
/// When the environment names neither a cache nor a home.
pub fn directory() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME says where the cache is")?;
    Ok(base.join("static-aws-credentials"))
}

/// Locks the file; waits while another process holds it.
///
/// # Errors
/// When the file cannot be written or locked.
pub fn lock(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!(
                "cache: waiting for another process that fills {}",
                path.display()
            );
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the cache"),
    }
    Ok(file)
}
