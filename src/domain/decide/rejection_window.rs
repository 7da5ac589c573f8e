//! How long AWS has rejected a pair, and when a rejection counts.

use std::time::Duration;

use super::{SourcePair, situation::Situation};

/// How long a rejection must last before it counts.
pub const REJECTION_CONFIRMATION: Duration = Duration::from_mins(1);

/// The tolerance for a timer that fires slightly early.
pub(super) const SLACK: Duration = Duration::from_millis(500);

/// Whether the status records the rejection of this pair. For an unpublished pair the key ID suffices: another
/// secret makes no unknown ID known. A published pair must match itself, since its target may be withdrawn.
pub(super) fn is_recorded(situation: &Situation<'_>, pair: &SourcePair) -> bool {
    let settling = situation.status.settling.as_ref();
    let same_id = settling.is_some_and(|settling| settling.key_id_suffix == pair.pair.suffix());
    let same_pair = match situation.memory.refused {
        Some(refused) => refused == pair.fingerprint,
        None => situation.earlier.held_source_pair(),
    };
    same_id && (same_pair || !situation.is_published)
}

/// Whether a rejection has lasted long enough to count.
pub(super) fn is_confirmed(rejected_for: Duration) -> bool {
    rejected_for + SLACK >= REJECTION_CONFIRMATION
}
