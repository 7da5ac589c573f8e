//! What a cluster leaves on the machine, and how it is removed: after a stop, and by the next holder of
//! the slot when the last one was killed.

use std::{io::ErrorKind, path::Path};

use anyhow::{Context, Result};

/// Removes everything that bears the slot's number. Nothing there is no error.
///
/// # Errors
/// When something is left.
pub fn remove(slot: u16, directory: &Path) -> Result<()> {
    let _ = slot;
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}
