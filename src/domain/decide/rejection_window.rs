//! How long AWS has rejected a pair, and when a rejection counts.

use std::time::Duration;

/// How long a rejection by AWS must last before it counts. A class sets the time of its store.
pub const REJECTION_CONFIRMATION: Duration = Duration::from_mins(1);

/// The tolerance for a timer that fires slightly early.
pub(super) const SLACK: Duration = Duration::from_millis(500);
