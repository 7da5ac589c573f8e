//! tinyproxy, an HTTP proxy.

use std::path::PathBuf;

use anyhow::Result;

use super::debian::unpacked;

/// Where it is.
///
/// # Errors
/// When apt-get cannot bring it.
pub fn tinyproxy() -> Result<PathBuf> {
    Ok(unpacked("tinyproxy-bin")?.join("usr/bin/tinyproxy"))
}
