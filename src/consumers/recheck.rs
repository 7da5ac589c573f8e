//! When consumers are looked at again.

use std::time::Duration;

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// After this time.
    In(Duration),
    /// While workloads that are being restarted keep others waiting: soon, and then ever later, a minute at the most.
    Soon,
    /// After a restart that may come at any time: soon, and then ever later.
    Later,
}

impl Recheck {
    /// The sooner of two. What may come to pass at any time is looked at early.
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
