//! The delay before a failed watch is retried.

use std::time::Duration;

/// Delay after consecutive failures: 12 s at most, with jitter between processes.
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

impl Backoff {
    /// The API server answers again: caps the base delay at 2 s. No full reset, as the watch alone may still fail.
    pub fn shorten(&mut self) {
        self.0 = self.0.min(Duration::from_secs(2));
    }

    pub fn next(&mut self) -> Duration {
        let base = self.0;
        self.0 = (base * 2).min(Duration::from_secs(8));
        // If no random bytes are available, the jitter is 0, which is harmless.
        let jitter = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
        base + base.mul_f64(jitter / 2.0)
    }
}
