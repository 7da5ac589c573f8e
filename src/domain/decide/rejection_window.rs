//! How long AWS has rejected a pair, and when a rejection counts.

use std::time::Duration;

/// How long a rejection must last before it counts.
pub const REJECTION_CONFIRMATION: Duration = Duration::from_mins(1);

/// The tolerance for a timer that fires slightly early.
pub(super) const SLACK: Duration = Duration::from_millis(500);

/// Whether a rejection has lasted long enough to count.
pub(super) fn is_confirmed(rejected_for: Duration) -> bool {
    rejected_for + SLACK >= REJECTION_CONFIRMATION
}
