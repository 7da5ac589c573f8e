//! The memory of the operator.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::task::JoinHandle;

use crate::harness::test_env::TestEnv;

/// The number of resources that one operator is designed for.
pub const MANY: usize = 10_000;
/// The memory limit for them, in MiB.
pub const LIMIT: f64 = 64.0;

/// The anonymous memory of a process, in MiB. The binary is in the page cache, and this build's is
/// many times larger than the image's.
pub fn memory(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let kib: f64 = kib.context("no RssAnon")?.trim().parse()?;
    Ok(kib / 1024.0)
}

/// The maximum of the operator's memory, from now on.
pub struct Peak {
    most: Arc<Mutex<f64>>,
    watching: JoinHandle<()>,
}

impl Peak {
    pub fn of(env: &TestEnv) -> Result<Self> {
        let process = env.operator()?.pid();
        let most = Arc::<Mutex<f64>>::default();
        let seen = Arc::clone(&most);
        let watching = tokio::spawn(async move {
            while let Ok(now) = memory(process) {
                if let Ok(mut most) = seen.lock() {
                    *most = most.max(now);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Ok(Self { most, watching })
    }

    pub fn end(self) -> f64 {
        self.watching.abort();
        self.most.lock().map_or(f64::INFINITY, |most| *most)
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most thirty thousand")]
pub fn number_of(count: usize) -> f64 {
    count as f64
}
