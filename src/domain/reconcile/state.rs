//! In-memory state of each resource between its reconciles.

mod leftovers;
mod overlap;

use std::time::{Duration, Instant};

use super::PerTask;
use crate::{
    api::StaticAwsCredentialsStatus,
    domain::decide::{Cause, DueState, Memory, Requeue},
};
use k8s_openapi::jiff::Timestamp;

pub use leftovers::Leftovers;
pub use overlap::Overlap;

/// In-memory state of one resource.
#[derive(Clone, Debug, Default)]
pub struct RuntimeState {
    /// The part that decisions use as an input.
    pub memory: Memory,
    /// The status that this process wrote last. It takes precedence over an older version from the watch.
    pub written: Option<Box<PendingStatus>>,
    /// Failed attempts of each task in a row.
    pub failures: PerTask<u32>,
    /// The generation whose status the API server rejected as invalid, and when.
    pub refused_status: Option<(i64, Instant)>,
    /// Schedule of the checks of the previous key pair's consumers.
    pub overlap: Overlap,
    epoch: u64,
    timer: Timer,
    refusal: Option<(String, Instant)>,
    restores: Restores,
    newcomer: Option<Instant>,
    /// Leftovers that could not be removed yet.
    pub leftovers: Leftovers,
}

/// A status that this process wrote.
#[derive(Clone, Debug)]
pub struct PendingStatus {
    /// Resource version after the write.
    pub version: u64,
    /// The status.
    pub status: StaticAwsCredentialsStatus,
    /// How often the index had been rewound at the time of the write.
    pub epoch: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Timer {
    #[default]
    Undecided,
    Never,
    At(Instant, Cause),
}

#[derive(Clone, Debug, Default)]
struct Restores {
    count: u32,
    last: Option<Instant>,
}

impl RuntimeState {
    /// Drops the state if the index was rewound: etcd was restored from a backup, and everything published
    /// after the backup is gone.
    pub fn reset_if_stale(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Self {
                epoch,
                ..Self::default()
            };
        }
    }

    /// The watch has delivered this version: a status written up to it is dropped. Statuses are large, and in a
    /// burst the next reconcile, which would drop it too, may be queued for long.
    pub fn observed(&mut self, version: u64) {
        self.written.take_if(|written| written.version <= version);
    }

    /// Whether this process wrote the status of this version.
    #[must_use]
    pub fn wrote(&self, version: u64) -> bool {
        let written = self.written.as_ref();
        written.is_some_and(|written| written.version == version)
    }

    /// Whether the next proof is due.
    #[must_use]
    pub fn due(&self, now: Instant) -> DueState {
        match self.timer {
            Timer::Undecided => DueState::Undecided,
            Timer::Never => DueState::Never,
            Timer::At(at, _) if at <= now => DueState::Now,
            Timer::At(..) => DueState::Later,
        }
    }

    /// Sets the timer as decided.
    pub fn schedule(&mut self, next: Requeue, now: Instant) {
        match next {
            Requeue::Keep | Requeue::Answer => {}
            Requeue::Never => self.timer = Timer::Never,
            Requeue::In(pause, because) => self.timer = Timer::At(now + pause, because.cause()),
        }
    }

    /// Time until the next planned reconcile, and its cause, if one is planned.
    #[must_use]
    pub fn pause(&self, now: Instant) -> Option<(Duration, Cause)> {
        match self.timer {
            Timer::At(at, cause) => Some((at.saturating_duration_since(now), cause)),
            Timer::Undecided | Timer::Never => None,
        }
    }

    /// How long AWS has rejected the key in `status.settling`, by the monotonic clock. The wall clock is read
    /// once, for a rejection that began before this process; a start in the future counts as now.
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

    /// Records when AWS began to reject a key.
    pub fn refusal_began(&mut self, suffix: &str, now: Instant) {
        self.refusal = Some((suffix.to_owned(), now));
    }

    /// Time until the target may be restored again, if it was restored too often.
    #[must_use]
    pub fn restore_wait(&self, now: Instant) -> Option<Duration> {
        let over = self.restores.count.checked_sub(3)?;
        let pause = Duration::from_secs(5)
            .saturating_mul(1 << over.min(6))
            .min(Duration::from_mins(5));
        let left = (self.restores.last? + pause).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Stores the memory of a finished reconcile.
    pub fn update_memory(&mut self, memory: Memory, now: Instant) {
        if memory.newcomers.refused > self.memory.newcomers.refused {
            self.newcomer = Some(now);
        }
        self.memory = memory;
    }

    /// Time until a new pair may be sent to STS, if AWS rejected too many new pairs before.
    #[must_use]
    pub fn newcomer_wait(&self, now: Instant) -> Option<Duration> {
        let pause = self.memory.newcomers.pause()?;
        let left = (self.newcomer? + pause).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Counts a restore of the target. The count starts at 0 again after 10 minutes without a restore.
    pub fn restored(&mut self, now: Instant) {
        let is_long_ago =
            |last: Instant| now.saturating_duration_since(last) > Duration::from_mins(10);
        if self.restores.last.is_some_and(is_long_ago) {
            self.restores.count = 0;
        }
        self.restores.count = self.restores.count.saturating_add(1);
        self.restores.last = Some(now);
    }
}

#[cfg(test)]
mod tests;
