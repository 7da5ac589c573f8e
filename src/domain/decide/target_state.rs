//! The state of the target, and the plan for it.

use super::{Inputs, Read, TargetWrite};
use crate::{
    api::{OnRejected, Published},
    domain::{index::SecretVersion, verdict::Finding},
};

/// The next step towards a plan for the target.
pub(super) enum TargetStep {
    Read(Read),
    Known(Box<TargetPlan>),
}

/// The change of the target, and the state of the target afterwards.
#[derive(Debug)]
pub(super) struct TargetPlan {
    pub change: TargetWrite,
    pub standing: TargetState,
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

pub(super) fn withdraws(world: &Inputs<'_>) -> bool {
    world.resource.checks.on_rejected == OnRejected::Withdraw
}

pub(super) fn matches(published: &Published, seen: &SecretVersion) -> bool {
    seen.is(&published.uid, &published.resource_version)
}

pub(super) fn known(change: TargetWrite, standing: TargetState) -> TargetStep {
    TargetStep::Known(Box::new(TargetPlan { change, standing }))
}

pub(super) fn blocked(finding: Finding) -> TargetPlan {
    TargetPlan {
        change: TargetWrite::Nothing,
        standing: TargetState::Blocked(finding),
    }
}
