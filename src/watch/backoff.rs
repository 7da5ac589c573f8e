//! How long a watch waits before it tries again.

use std::time::Duration;

/// How long to wait after failures in a row: at most 12 s, and not all processes alike.
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

impl Backoff {
    /// The API server answers. What fails then may be the watch alone, so it does not begin anew.
    pub fn shorten(&mut self) {
        self.0 = self.0.min(Duration::from_secs(2));
    }

    pub fn next(&mut self) -> Duration {
        let least = self.0;
        self.0 = (least * 2).min(Duration::from_secs(8));
        // Without randomness they are alike, which does no harm.
        let share = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
        least + least.mul_f64(share / 2.0)
    }
}
