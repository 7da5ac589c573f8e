//! Proxies of Debian.

use std::path::PathBuf;

use anyhow::Result;
use debian::unpacked;

/// The path of tinyproxy, an HTTP proxy.
///
/// # Errors
/// When apt-get cannot fetch it.
pub fn tinyproxy() -> Result<PathBuf> {
    Ok(unpacked("tinyproxy-bin")?.join("usr/bin/tinyproxy"))
}

/// The path of microsocks, a SOCKS5 proxy.
///
/// # Errors
/// When apt-get cannot fetch it.
pub fn microsocks() -> Result<PathBuf> {
    Ok(unpacked("microsocks")?.join("usr/bin/microsocks"))
}
