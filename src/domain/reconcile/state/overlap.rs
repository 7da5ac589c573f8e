//! Schedule of the checks of the previous key pair's consumers.

use std::time::{Duration, Instant};

use crate::domain::rotation::{Own, Recheck};
use k8s_openapi::jiff::Timestamp;

const MIN_PAUSE: Duration = Duration::from_secs(10);
const MAX_PAUSE: Duration = Duration::from_mins(5);
/// The longest pause while workloads wait for restarted workloads to become healthy.
const MAX_ROLLOUT_PAUSE: Duration = Duration::from_mins(1);

/// Past and planned checks of consumers.
#[derive(Clone, Debug, Default)]
pub struct Overlap(Option<Box<Checks>>);

#[derive(Clone, Debug)]
struct Checks {
    since: Timestamp,
    next: Option<Instant>,
    unchanged: u32,
    own: Option<Own>,
    waiting: Option<Waiting>,
}

/// A wait that began at a time in the status. Its length is measured by the monotonic clock, since the wall
/// clock may be set.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Timestamp,
    before: Duration,
    began: Instant,
}

impl Checks {
    fn pause(&self, limit: Duration, jitter: f64) -> Duration {
        let doubled = MIN_PAUSE.saturating_mul(1 << self.unchanged.min(8));
        doubled.min(limit).mul_f64(0.8 + 0.4 * jitter)
    }
}

impl Overlap {
    /// Time until the next check of the consumers of a pair that was delivered by `since`. The first check is due
    /// after `first`.
    pub fn wait(&mut self, since: Timestamp, first: Duration, now: Instant) -> Duration {
        let known = self.0.take().filter(|checks| checks.since == since);
        let checks = known.unwrap_or_else(|| {
            Box::new(Checks {
                since,
                next: Some(now + first),
                unchanged: 0,
                own: None,
                waiting: None,
            })
        });
        let wait = checks
            .next
            .map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
        self.0 = Some(checks);
        wait
    }

    /// The result of the last check of the pods.
    #[must_use]
    pub fn own(&self) -> Option<Own> {
        self.0.as_ref()?.own
    }

    /// Records the result of a check of the pods.
    pub fn saw(&mut self, own: Option<Own>) {
        if let Some(checks) = &mut self.0 {
            checks.own = own;
        }
    }

    /// The length of a wait that began at a time in the status. The time before this process knew of the wait is
    /// taken from the wall clock; a start in the future counts as now.
    pub fn waited(&mut self, since: Timestamp, wall: Timestamp, now: Instant) -> Duration {
        let before = Duration::try_from(wall.duration_since(since)).unwrap_or_default();
        let new = Waiting {
            since,
            before,
            began: now,
        };
        let Some(checks) = &mut self.0 else {
            return before;
        };
        let known = checks.waiting.filter(|known| known.since == since);
        let waiting = *checks.waiting.insert(known.unwrap_or(new));
        let in_this_process = now.saturating_duration_since(waiting.began);
        waiting.before.saturating_add(in_this_process)
    }

    /// Records a check, and returns the pause before the next check: short while consumers change, and longer
    /// each time while nothing changes.
    pub fn looked(
        &mut self,
        again: Option<Recheck>,
        changed: bool,
        jitter: f64,
        now: Instant,
    ) -> Option<Duration> {
        let Some(again) = again else {
            self.0 = None;
            return None;
        };
        let checks = self.0.as_mut()?;
        checks.unchanged = if changed {
            0
        } else {
            checks.unchanged.saturating_add(1)
        };
        let pause = match again {
            Recheck::In(pause) => pause,
            Recheck::Soon => checks.pause(MAX_ROLLOUT_PAUSE, jitter),
            Recheck::Later => checks.pause(MAX_PAUSE, jitter),
        };
        checks.next = Some(now + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests;
