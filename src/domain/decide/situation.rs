//! The facts on which a decision rests, computed once for each step.

use std::{ops::Deref, time::Duration};

use super::{
    Inputs, Source, SourcePair,
    earlier::Earlier,
    proof::{self, Known},
    rejection_window::{REJECTION_CONFIRMATION, SLACK},
};
use crate::api::OnRejected;

/// The inputs of one step, and what follows from them.
pub(super) struct Situation<'a> {
    inputs: &'a Inputs<'a>,
    /// The source's pair; `None` if the source was not read, or holds no well-formed pair.
    pub pair: Option<&'a SourcePair>,
    /// What the last status reports.
    pub earlier: Earlier<'a>,
    /// Whether the target holds the source's pair. If the status is the only evidence, no write may depend on it.
    pub is_published: bool,
    /// Whether the pair was proven before.
    pub proof: Known,
    /// Whether the rejection that the status records, if any, is that of the pair.
    pub is_recorded_rejection: bool,
    /// How long AWS has rejected the pair.
    pub rejected_for: Option<Duration>,
    /// How long the pair must wait for its first request to AWS.
    pub first_request_wait: Option<Duration>,
    /// Inconclusive answers in a row about the pair.
    pub failures: u32,
}

impl<'a> Situation<'a> {
    /// Computes the facts; those of a pair rest on each other in this order.
    pub fn of(inputs: &'a Inputs<'a>) -> Self {
        let earlier = Earlier::of(&inputs.status.conditions);
        let pair = inputs.source.and_then(Source::pair);
        let is_published = pair.is_some_and(|pair| proof::is_published(inputs, &earlier, pair));
        let is_recorded =
            pair.is_some_and(|pair| is_recorded_rejection(inputs, &earlier, pair, is_published));
        Self {
            pair,
            is_published,
            proof: pair.map_or(Known::No, |pair| proof::known(inputs, &earlier, pair)),
            is_recorded_rejection: is_recorded,
            rejected_for: inputs.refused_for.filter(|_| is_recorded),
            first_request_wait: pair
                .and_then(|pair| first_request_wait(inputs, pair, is_published)),
            failures: inputs.failures(),
            earlier,
            inputs,
        }
    }

    /// How long a rejection of the pair must last before it counts.
    pub fn confirmation(&self) -> Duration {
        match self.resource.store() {
            None => REJECTION_CONFIRMATION,
            Some(store) if self.is_published => store.settling.max(REJECTION_CONFIRMATION),
            Some(store) => store.settling,
        }
    }

    /// Whether a rejection of the pair has lasted long enough to count.
    pub fn is_confirmed(&self, rejected_for: Duration) -> bool {
        rejected_for + SLACK >= self.confirmation()
    }

    /// Whether the published pair was proven, by this operator or an earlier process.
    pub fn was_proven(&self) -> bool {
        let status = self.status;
        self.is_published && (status.identity.is_some() || status.last_verified_time.is_some())
    }

    /// Whether a certain rejection removes the target.
    pub fn withdraws(&self) -> bool {
        self.resource.checks.on_rejected == OnRejected::Withdraw
    }
}

impl<'a> Deref for Situation<'a> {
    type Target = Inputs<'a>;

    fn deref(&self) -> &Inputs<'a> {
        self.inputs
    }
}

/// Whether the status records the rejection of this pair. For an unpublished pair the key ID suffices: another
/// secret makes no unknown ID known. A published pair must match itself, since its target may be withdrawn.
fn is_recorded_rejection(
    inputs: &Inputs<'_>,
    earlier: &Earlier<'_>,
    pair: &SourcePair,
    is_published: bool,
) -> bool {
    let settling = inputs.status.settling.as_ref();
    let same_id = settling.is_some_and(|settling| settling.key_id_suffix == pair.pair.suffix());
    let same_pair = match inputs.memory.refused {
        Some(refused) => refused == pair.fingerprint,
        None => earlier.held_source_pair(),
    };
    same_id && (same_pair || !is_published)
}

/// A pair that was published or asked about before does not wait.
fn first_request_wait(
    inputs: &Inputs<'_>,
    pair: &SourcePair,
    is_published: bool,
) -> Option<Duration> {
    let last = inputs.memory.newcomers.last;
    let was_asked = last == Some(pair.fingerprint) || !inputs.answers.is_empty();
    inputs.newcomer_wait.filter(|_| !was_asked && !is_published)
}
