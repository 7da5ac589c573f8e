//! Leftovers that could not be removed: what is reported of them, and when which of them are tried again.

use std::time::Duration;

use tokio::time::Instant;

use crate::{decide::Leftover, index::MAX_STALE_TARGETS};

const FIRST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_mins(5);

/// Nothing, as long as none is refused.
#[derive(Clone, Debug, Default)]
pub struct Leftovers(Option<Box<Refused>>);

#[derive(Clone, Debug)]
struct Refused {
    /// None if more of them wait for their turn than a run takes, and none was refused.
    note: Option<String>,
    at: Instant,
    /// How often all of them were tried.
    passes: u32,
    /// Those up to this name were tried in this pass: a run takes a bounded number.
    after: String,
}

impl Leftovers {
    /// What is reported of those that are not tried again yet.
    #[must_use]
    pub fn note(&self, now: Instant) -> Option<&str> {
        let refused = self.0.as_ref().filter(|refused| refused.at > now);
        refused.and_then(|refused| refused.note.as_deref())
    }

    /// How long until they are tried again.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let refused = self.0.as_ref()?;
        Some(refused.at.saturating_duration_since(now))
    }

    /// Whether it is time to try again.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.0.as_ref().is_some_and(|refused| refused.at <= now)
    }

    /// The name after which the next ones are looked for.
    #[must_use]
    pub fn after(&self) -> &str {
        self.0.as_ref().map_or("", |refused| &refused.after)
    }

    /// Takes note of a try, and of what is to be reported where one was refused.
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
        // Of a pass that is not over, the first ones still are there.
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
