//! Growing pauses between new pairs that AWS rejects one after another. Without them, a source that never stops
//! changing would never stop causing requests to AWS.

use std::time::Duration;

use super::{Inputs, Source, SourcePair, outcome::Verification, proof};
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

/// How long the source's pair must wait for its first request to AWS.
pub(super) fn waits(world: &Inputs<'_>) -> Option<Duration> {
    let pair = pair(world)?;
    let asked = world.memory.newcomers.last == Some(pair.fingerprint) || !world.answers.is_empty();
    let new = !asked && !proof::is_published(world, pair);
    world.newcomer_wait.filter(|_| new)
}

/// The count after a reconcile.
pub(super) fn count(world: &Inputs<'_>, judged: &Verification) -> Newcomers {
    let before = world.memory.newcomers;
    let refused = match judged {
        Verification::Verified {
            accepted_now: true, ..
        } => return Newcomers::default(),
        Verification::Rejected {
            by_aws: true,
            published: false,
            ..
        } => true,
        Verification::Pending { finding, .. } => finding.reason == Reason::Settling,
        _ => false,
    };
    let last = pair(world).map(|pair| pair.fingerprint);
    if refused && !world.answers.is_empty() && last != before.last {
        Newcomers {
            refused: before.refused.saturating_add(1),
            last,
        }
    } else {
        before
    }
}

fn pair<'a>(world: &Inputs<'a>) -> Option<&'a SourcePair> {
    match world.source? {
        Source::Found(found) => found.pair.as_ref().ok(),
        Source::Absent => None,
    }
}
