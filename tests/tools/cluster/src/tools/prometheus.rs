//! Prometheus, and promtool, which checks metrics and rules, and tests rules.

use std::{env, path::PathBuf};

use anyhow::Result;
use debian::unpacked;

const PACKAGE: &str = "prometheus";

/// The path of Prometheus.
///
/// # Errors
/// When it is missing and apt-get cannot fetch it.
pub fn prometheus() -> Result<PathBuf> {
    of_the_package("prometheus")
}

/// The path of promtool.
///
/// # Errors
/// When it is missing and apt-get cannot fetch it.
pub fn promtool() -> Result<PathBuf> {
    of_the_package("promtool")
}

/// The machine's program, or else the one from Debian's package.
fn of_the_package(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut installed = env::split_paths(&path).map(|directory| directory.join(name));
    if let Some(installed) = installed.find(|file| file.is_file()) {
        return Ok(installed);
    }
    Ok(unpacked(PACKAGE)?.join("usr/bin").join(name))
}
