//! What one process remembers of each resource between its runs.

mod leftovers;
mod overlap;
mod verification;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    api::StaticAwsCredentialsStatus,
    decide::{DueState, Memory, Requeue},
};

pub use leftovers::Leftovers;
pub use overlap::Overlap;
pub use verification::{PendingVerification, Subject};

/// What is remembered of one resource.
#[derive(Clone, Debug, Default)]
pub struct RuntimeState {
    /// What decisions are made from.
    pub memory: Memory,
    /// The status that this process wrote last, and its version. It wins over an older watch.
    pub written: Option<Box<PendingStatus>>,
    /// Runs in a row that failed.
    pub failures: u32,
    /// The generation whose status the API server found invalid, and when.
    pub refused_status: Option<(i64, Instant)>,
    /// When the consumers of a superseded pair are looked at.
    pub overlap: Overlap,
    epoch: u64,
    timer: Timer,
    refusal: Option<(String, Instant)>,
    restores: Restores,
    newcomer: Option<Instant>,
    /// Leftovers that were refused.
    pub leftovers: Leftovers,
}

/// A status that this process wrote.
#[derive(Clone, Debug)]
pub struct PendingStatus {
    /// Resource version of the resource since then.
    pub version: u64,
    /// The status.
    pub status: StaticAwsCredentialsStatus,
    /// How often the index had been rewound by then.
    pub epoch: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Timer {
    #[default]
    Undecided,
    Never,
    At(Instant),
}

#[derive(Clone, Debug, Default)]
struct Restores {
    count: u32,
    last: Option<Instant>,
}

impl RuntimeState {
    /// Forgets everything if the index was rewound since: the store was restored from a backup, and
    /// what was published since that was made never was.
    pub fn reset_if_stale(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Self {
                epoch,
                ..Self::default()
            };
        }
    }

    /// The watch has shown the resource at this version: what was written before has come back. In a
    /// burst the run that would find out waits for its turn, and statuses are large.
    pub fn observed(&mut self, version: u64) {
        self.written.take_if(|written| written.version <= version);
    }

    /// When the next proof is due.
    #[must_use]
    pub fn due(&self, now: Instant) -> DueState {
        match self.timer {
            Timer::Undecided => DueState::Undecided,
            Timer::Never => DueState::Never,
            Timer::At(at) if at <= now => DueState::Now,
            Timer::At(_) => DueState::Later,
        }
    }

    /// Takes the decision about the next look.
    pub fn schedule(&mut self, next: Requeue, now: Instant) {
        match next {
            Requeue::Keep | Requeue::Answer => {}
            Requeue::Never => self.timer = Timer::Never,
            Requeue::In(pause) => self.timer = Timer::At(now + pause),
        }
    }

    /// How long until the next look, if one is planned.
    #[must_use]
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        match self.timer {
            Timer::At(at) => Some(at.saturating_duration_since(now)),
            Timer::Undecided | Timer::Never => None,
        }
    }

    /// Measures a refusal that the status speaks of by this process's own clock. The wall clock is
    /// asked once, about a refusal that began before this process; a beginning in the future counts
    /// as now.
    pub fn refused_for(
        &mut self,
        status: &StaticAwsCredentialsStatus,
        wall: Timestamp,
        now: Instant,
    ) -> Option<Duration> {
        let settling = status.settling.as_ref()?;
        let same = |(suffix, _): &&(String, Instant)| settling.key_id_suffix == *suffix;
        let known = self.refusal.as_ref().filter(same);
        let since = known.map_or_else(
            || {
                let ago = wall.duration_since(settling.since.0).try_into();
                now.checked_sub(ago.unwrap_or_default()).unwrap_or(now)
            },
            |(_, since)| *since,
        );
        if known.is_none() {
            self.refusal_began(&settling.key_id_suffix, since);
        }
        Some(now.saturating_duration_since(since))
    }

    /// Takes note of a refusal that begins now.
    pub fn refusal_began(&mut self, suffix: &str, now: Instant) {
        self.refusal = Some((suffix.to_owned(), now));
    }

    /// How long the next restore of the target has to wait.
    #[must_use]
    pub fn restore_wait(&self, now: Instant) -> Option<Duration> {
        let over = self.restores.count.checked_sub(3)?;
        let pause = Duration::from_secs(5)
            .saturating_mul(1 << over.min(6))
            .min(Duration::from_mins(5));
        let left = (self.restores.last? + pause).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Takes what a finished run leaves to be remembered.
    pub fn update_memory(&mut self, memory: Memory, now: Instant) {
        if memory.newcomers.refused > self.memory.newcomers.refused {
            self.newcomer = Some(now);
        }
        self.memory = memory;
    }

    /// How long a new pair has to wait before AWS is asked about it.
    #[must_use]
    pub fn newcomer_wait(&self, now: Instant) -> Option<Duration> {
        let pause = self.memory.newcomers.pause()?;
        let left = (self.newcomer? + pause).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Takes note of a restore. Ten quiet minutes make the count begin anew.
    pub fn restored(&mut self, now: Instant) {
        let quiet = |last: Instant| now.saturating_duration_since(last) > Duration::from_mins(10);
        if self.restores.last.is_some_and(quiet) {
            self.restores.count = 0;
        }
        self.restores.count = self.restores.count.saturating_add(1);
        self.restores.last = Some(now);
    }
}
