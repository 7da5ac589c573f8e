//! Growing pauses between new pairs that AWS rejects one after another. Without them, a source that never stops
//! changing would never stop causing requests to AWS.

use std::time::Duration;

use super::{outcome::Verification, situation::Situation};
use crate::{api::Reason, domain::fingerprint::Fingerprint};

/// The first 5 rejected pairs in a row do not wait: they may be a person's mistakes.
const MISTAKES: u32 = 5;
const LONGEST: Duration = Duration::from_mins(5);

/// New pairs that AWS rejected since it last accepted a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Newcomers {
    /// The number of rejected pairs in a row.
    pub refused: u32,
    /// The last rejected pair.
    pub last: Option<Fingerprint>,
}

impl Newcomers {
    /// The pause between the last rejection and the request for the next new pair.
    #[must_use]
    pub fn pause(self) -> Option<Duration> {
        let over = self.refused.checked_sub(MISTAKES)?;
        let pause = Duration::from_secs(2).saturating_mul(1 << over.min(8));
        Some(pause.min(LONGEST))
    }
}

/// The count after a reconcile.
pub(super) fn count(situation: &Situation<'_>, verification: &Verification) -> Newcomers {
    let before = situation.memory.newcomers;
    let is_refused = match verification {
        Verification::Verified {
            accepted_now: true, ..
        } => return Newcomers::default(),
        Verification::Rejected { by_aws: true, .. } => !situation.is_published,
        Verification::Pending(finding) => finding.reason == Reason::Settling,
        _ => false,
    };
    let last = situation.pair.map(|pair| pair.fingerprint);
    if is_refused && !situation.answers.is_empty() && last != before.last {
        Newcomers {
            refused: before.refused.saturating_add(1),
            last,
        }
    } else {
        before
    }
}
