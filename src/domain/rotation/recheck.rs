//! When consumers are checked again.

use std::time::Duration;

/// When to check again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// After this time.
    In(Duration),
    /// While rollouts hold up the restart of other workloads: soon, then at growing intervals of 1 minute at most.
    Soon,
    /// For a restart that may come at any time: soon, then at growing intervals of 5 minutes at most.
    Later,
}

impl Recheck {
    /// The sooner of two. `Soon` and `Later` precede a time: what they wait for may happen at any time.
    #[must_use]
    pub fn sooner(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(Self::In(one)), Some(Self::In(other))) => Some(Self::In(one.min(other))),
            (Some(Self::Soon), _) | (_, Some(Self::Soon)) => Some(Self::Soon),
            (Some(Self::Later), _) | (_, Some(Self::Later)) => Some(Self::Later),
            (one, other) => one.or(other),
        }
    }
}
