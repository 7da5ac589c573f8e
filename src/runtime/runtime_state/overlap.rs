//! Schedule of the checks of the previous key pair's consumers.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use crate::domain::consumers::{Own, Recheck};

const FIRST: Duration = Duration::from_secs(10);
const MOST: Duration = Duration::from_mins(5);
/// The longest pause while workloads wait for restarted workloads to become healthy.
const MOST_OF_A_WAVE: Duration = Duration::from_mins(1);

/// Past and planned checks of consumers.
#[derive(Clone, Debug, Default)]
pub struct Overlap(Option<Box<Looks>>);

#[derive(Clone, Debug)]
struct Looks {
    since: Timestamp,
    next: Option<Instant>,
    in_a_row: u32,
    own: Option<Own>,
    waiting: Option<Waiting>,
}

/// A wait that began at a time in the status. Its length is measured by the monotonic clock, since the wall
/// clock may be set.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Timestamp,
    before: Duration,
    begun: Instant,
}

impl Looks {
    fn pause(&self, most: Duration, jitter: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.in_a_row.min(8));
        doubled.min(most).mul_f64(0.8 + 0.4 * jitter)
    }
}

impl Overlap {
    /// Time until the next check of the consumers of a pair that was delivered by `since`. The first check is due
    /// after `first`.
    pub fn wait(&mut self, since: Timestamp, first: Duration, now: Instant) -> Duration {
        let begun = self.0.take().filter(|looks| looks.since == since);
        let looks = begun.unwrap_or_else(|| {
            Box::new(Looks {
                since,
                next: Some(now + first),
                in_a_row: 0,
                own: None,
                waiting: None,
            })
        });
        let wait = looks
            .next
            .map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
        self.0 = Some(looks);
        wait
    }

    /// The result of the last check of the pods.
    #[must_use]
    pub fn own(&self) -> Option<Own> {
        self.0.as_ref()?.own
    }

    /// Records the result of a check of the pods.
    pub fn saw(&mut self, own: Option<Own>) {
        if let Some(looks) = &mut self.0 {
            looks.own = own;
        }
    }

    /// The length of a wait that began at a time in the status. The time before this process knew of the wait is
    /// taken from the wall clock; a start in the future counts as now.
    pub fn waited(&mut self, since: Timestamp, wall: Timestamp, now: Instant) -> Duration {
        let before = Duration::try_from(wall.duration_since(since)).unwrap_or_default();
        let new = Waiting {
            since,
            before,
            begun: now,
        };
        let Some(looks) = &mut self.0 else {
            return before;
        };
        let known = looks.waiting.filter(|known| known.since == since);
        let waiting = *looks.waiting.insert(known.unwrap_or(new));
        let here = now.saturating_duration_since(waiting.begun);
        waiting.before.saturating_add(here)
    }

    /// Records a check, and returns the pause before the next check: short while consumers change, and longer
    /// each time while nothing changes.
    pub fn looked(
        &mut self,
        again: Option<Recheck>,
        news: bool,
        jitter: f64,
        now: Instant,
    ) -> Option<Duration> {
        let Some(again) = again else {
            self.0 = None;
            return None;
        };
        let looks = self.0.as_mut()?;
        looks.in_a_row = if news {
            0
        } else {
            looks.in_a_row.saturating_add(1)
        };
        let pause = match again {
            Recheck::In(pause) => pause,
            Recheck::Soon => looks.pause(MOST_OF_A_WAVE, jitter),
            Recheck::Later => looks.pause(MOST, jitter),
        };
        looks.next = Some(now + pause);
        Some(pause)
    }
}
