//! Prometheus, and promtool, which judges metrics, rules and what rules do.

use std::{env, path::PathBuf};

use anyhow::Result;

use super::debian::unpacked;

const PACKAGE: &str = "prometheus";

/// Where Prometheus itself is.
///
/// # Errors
/// When it is missing and apt-get cannot bring it.
pub fn prometheus() -> Result<PathBuf> {
    of_the_package("prometheus")
}

/// Where promtool is.
///
/// # Errors
/// When it is missing and apt-get cannot bring it.
pub fn promtool() -> Result<PathBuf> {
    of_the_package("promtool")
}

/// That of the machine, or else the one from Debian's package.
fn of_the_package(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut installed = env::split_paths(&path).map(|directory| directory.join(name));
    if let Some(installed) = installed.find(|file| file.is_file()) {
        return Ok(installed);
    }
    Ok(unpacked(PACKAGE)?.join("usr/bin").join(name))
}
