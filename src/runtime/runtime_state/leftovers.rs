//! Leftovers that could not be removed: the note to report, and the schedule of the retries.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::{decide::Leftover, index::MAX_STALE_TARGETS};

const FIRST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_mins(5);

/// The schedule; empty if no leftover waits for a removal.
#[derive(Clone, Debug, Default)]
pub struct Leftovers(Option<Box<Refused>>);

#[derive(Clone, Debug)]
struct Refused {
    /// `None` if no removal failed and leftovers wait only because of the limit per reconcile.
    note: Option<String>,
    at: Instant,
    /// Completed passes over all leftovers.
    passes: u32,
    /// The last name tried in this pass, since a reconcile tries a limited number; empty between passes.
    after: String,
}

impl Leftovers {
    /// The note about failed removals, until their retry is due.
    #[must_use]
    pub fn note(&self, now: Instant) -> Option<&str> {
        let refused = self.0.as_ref().filter(|refused| refused.at > now);
        refused.and_then(|refused| refused.note.as_deref())
    }

    /// Time until the next retry.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let refused = self.0.as_ref()?;
        Some(refused.at.saturating_duration_since(now))
    }

    /// Whether a retry is due.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.0.as_ref().is_some_and(|refused| refused.at <= now)
    }

    /// The name after which the next attempt starts.
    #[must_use]
    pub fn after(&self) -> &str {
        self.0.as_ref().map_or("", |refused| &refused.after)
    }

    /// Records an attempt, and the note to report if a removal failed.
    pub fn tried(&mut self, tried: &[Leftover], note: Option<String>, now: Instant) {
        if self.note(now).is_some() {
            return;
        }
        let before = self.0.take();
        let amid = before
            .as_ref()
            .is_some_and(|before| !before.after.is_empty());
        let passes = before.as_ref().map_or(0, |before| before.passes);
        let last = tried.last().filter(|_| tried.len() >= MAX_STALE_TARGETS);
        let after = last.map(|leftover| leftover.name.clone());
        // In the middle of a pass, leftovers that failed earlier in the pass still exist.
        let note = note.or(before.filter(|_| amid).and_then(|before| before.note));
        if note.is_none() && after.is_none() {
            return;
        }
        let (passes, pause) = match after {
            Some(_) => (passes, FIRST),
            None => (passes.saturating_add(1), FIRST * (1 << passes.min(8))),
        };
        self.0 = Some(Box::new(Refused {
            note,
            at: now + pause.min(MOST),
            passes,
            after: after.unwrap_or_default(),
        }));
    }
}
