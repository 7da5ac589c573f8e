//! Leftovers that could not be removed: the note to report, and the schedule of the retries.

use std::time::{Duration, Instant};

use crate::domain::{decide::Leftover, index::MAX_STALE_TARGETS};

const MIN_PAUSE: Duration = Duration::from_secs(2);
const MAX_PAUSE: Duration = Duration::from_mins(5);

/// The schedule; empty if no leftover waits for a removal.
#[derive(Clone, Debug, Default)]
pub struct Leftovers(Option<Box<Retry>>);

#[derive(Clone, Debug)]
struct Retry {
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
        let retry = self.0.as_ref().filter(|retry| retry.at > now);
        retry.and_then(|retry| retry.note.as_deref())
    }

    /// Time until the next retry.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let retry = self.0.as_ref()?;
        Some(retry.at.saturating_duration_since(now))
    }

    /// Whether a retry is due.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.0.as_ref().is_some_and(|retry| retry.at <= now)
    }

    /// The name after which the next attempt starts.
    #[must_use]
    pub fn after(&self) -> &str {
        self.0.as_ref().map_or("", |retry| &retry.after)
    }

    /// Records an attempt, and the note to report if a removal failed.
    pub fn tried(&mut self, tried: &[Leftover], note: Option<String>, now: Instant) {
        if self.note(now).is_some() {
            return;
        }
        let before = self.0.take();
        let in_pass = before
            .as_ref()
            .is_some_and(|before| !before.after.is_empty());
        let passes = before.as_ref().map_or(0, |before| before.passes);
        let last = tried.last().filter(|_| tried.len() >= MAX_STALE_TARGETS);
        let after = last.map(|leftover| leftover.name.clone());
        // In the middle of a pass, leftovers that failed earlier in the pass still exist.
        let note = note.or(before.filter(|_| in_pass).and_then(|before| before.note));
        if note.is_none() && after.is_none() {
            return;
        }
        let (passes, pause) = match after {
            Some(_) => (passes, MIN_PAUSE),
            None => (passes.saturating_add(1), MIN_PAUSE * (1 << passes.min(8))),
        };
        self.0 = Some(Box::new(Retry {
            note,
            at: now + pause.min(MAX_PAUSE),
            passes,
            after: after.unwrap_or_default(),
        }));
    }
}
