//! crane's registry, which keeps images in memory and takes any login.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use cluster::child_process::ChildProcess;

/// A registry on a free port of 127.0.0.1, over plain HTTP.
pub struct Registry {
    /// Host and port.
    pub address: String,
    _process: ChildProcess,
}

impl Registry {
    /// Starts crane's registry, and waits until the registry has a port. Blocks.
    pub fn serve(crane: &Path, log: &Path) -> Result<Self> {
        let args = ["registry", "serve", "--address=127.0.0.1:0"].map(str::to_owned);
        let process = ChildProcess::spawn("crane's registry", crane, &args, &[], log)?;
        Ok(Self {
            address: format!("127.0.0.1:{}", port(&process)?),
            _process: process,
        })
    }
}

/// The registry takes a free port and logs it.
fn port(registry: &ChildProcess) -> Result<u16> {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let log = std::fs::read_to_string(registry.log()).unwrap_or_default();
        let address = log
            .lines()
            .find_map(|line| line.split_once("serving on port "));
        if let Some((_, port)) = address {
            return Ok(port.trim().parse()?);
        }
        registry.check()?;
        ensure!(Instant::now() < end, "crane's registry has no port: {log}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
