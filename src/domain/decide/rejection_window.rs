//! How long AWS has rejected a pair, and when a rejection counts.

use std::time::Duration;

use super::{Inputs, SourcePair, proof};
use crate::api::{ConditionType, Reason};

/// How long a rejection must last before it counts.
pub const REJECTION_CONFIRMATION: Duration = Duration::from_mins(1);

/// The tolerance for a timer that fires slightly early.
pub(super) const SLACK: Duration = Duration::from_millis(500);

/// How long AWS has rejected this pair.
pub(super) fn refused_for(world: &Inputs<'_>, pair: &SourcePair) -> Option<Duration> {
    world.refused_for.filter(|_| is_refused(world, pair))
}

/// Whether the status records the rejection of this pair. For an unpublished pair the key ID suffices: another
/// secret makes no unknown ID known. A published pair must match itself, since its target may be withdrawn.
pub(super) fn is_refused(world: &Inputs<'_>, pair: &SourcePair) -> bool {
    let settling = world.status.settling.as_ref();
    let same_id = settling.is_some_and(|settling| settling.key_id_suffix == pair.pair.suffix());
    let same_pair = match world.memory.refused {
        Some(refused) => refused == pair.fingerprint,
        None => world.reason_before(ConditionType::Published) == Some(Reason::Published),
    };
    same_id && (same_pair || !proof::is_published(world, pair))
}

/// Whether a rejection has lasted long enough to count.
pub(super) fn is_confirmed(refused_for: Duration) -> bool {
    refused_for + SLACK >= REJECTION_CONFIRMATION
}

/// Whether AWS rejected the source's pair at the last request.
pub(super) fn was_refused(world: &Inputs<'_>) -> bool {
    world
        .reason_before(ConditionType::Ready)
        .is_some_and(Reason::is_refusal)
}
