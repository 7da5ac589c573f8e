//! tinyproxy, an HTTP proxy.

use std::path::PathBuf;

use anyhow::Result;

use super::debian::unpacked;

/// The path of tinyproxy.
///
/// # Errors
/// When apt-get cannot fetch it.
pub fn tinyproxy() -> Result<PathBuf> {
    Ok(unpacked("tinyproxy-bin")?.join("usr/bin/tinyproxy"))
}
