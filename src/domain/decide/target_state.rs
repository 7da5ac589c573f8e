//! The state of the target, and the plan for it.

use super::TargetWrite;
use crate::domain::{index::SecretVersion, verdict::Finding};

/// The change of the target, and the state of the target afterwards.
#[derive(Debug)]
pub(super) struct TargetPlan {
    pub change: Option<TargetWrite>,
    pub state: TargetState,
}

/// The state of the target.
#[derive(Debug)]
pub(super) enum TargetState {
    /// Holds what was last published, at this version.
    Current(SecretVersion),
    /// Holds the pair already, but the status does not record that: an earlier status write was lost.
    Recovered { seen: SecretVersion, new_pair: bool },
    /// Is written in this reconcile.
    Writing { new_pair: bool },
    /// Nothing was published yet, or the target was withdrawn.
    NotPublished(Finding),
    /// Was published and is now deleted or edited, and the source holds no proven pair to restore it from.
    Drifted(Finding),
    /// The name is taken, or the Secret cannot be written.
    Blocked(Finding),
    /// The name will be free soon, or the next restore must wait.
    Waiting(Finding),
}

impl TargetState {
    /// The plan that reaches this state without a write.
    pub fn unwritten(self) -> TargetPlan {
        TargetPlan {
            change: None,
            state: self,
        }
    }

    /// The plan that reaches this state by a write.
    pub fn by(self, change: TargetWrite) -> TargetPlan {
        TargetPlan {
            change: Some(change),
            state: self,
        }
    }

    /// Whether the target holds what was last published.
    pub fn is_in_place(&self) -> bool {
        matches!(
            self,
            Self::Writing { .. } | Self::Recovered { .. } | Self::Current(_)
        )
    }
}
