//! The facts on which a decision rests, computed once for each step.

use std::{ops::Deref, time::Duration};

use super::{
    Inputs, Source, SourcePair,
    earlier::Earlier,
    newcomer,
    proof::{self, Known},
    rejection_window,
};
use crate::api::OnRejected;

/// The inputs of one step, and what follows from them.
pub(super) struct Situation<'a> {
    inputs: &'a Inputs<'a>,
    /// The source's pair; `None` if the source was not read, or holds no well-formed pair.
    pub pair: Option<&'a SourcePair>,
    /// What the last status reports.
    pub earlier: Earlier<'a>,
    /// Whether the published Secret still is at the version that was published.
    pub is_intact: bool,
    /// Whether the target holds the source's pair. If the status is the only evidence, no write may depend on it.
    pub is_published: bool,
    /// Whether the pair was proven before.
    pub proof: Known,
    /// How long AWS has rejected the pair.
    pub rejected_for: Option<Duration>,
    /// How long the pair must wait for its first request to AWS.
    pub first_request_wait: Option<Duration>,
    /// Inconclusive answers in a row about the pair.
    pub failures: u32,
}

impl<'a> Situation<'a> {
    /// Each fact may rest on those above it.
    pub fn of(inputs: &'a Inputs<'a>) -> Self {
        let mut situation = Self {
            inputs,
            pair: inputs.source.and_then(Source::pair),
            earlier: Earlier::of(&inputs.status.conditions),
            is_intact: inputs.is_intact(),
            is_published: false,
            proof: Known::No,
            rejected_for: None,
            first_request_wait: None,
            failures: inputs.failures(),
        };
        let Some(pair) = situation.pair else {
            return situation;
        };
        situation.is_published = proof::is_published(&situation, pair);
        situation.proof = proof::known(&situation, pair);
        situation.rejected_for = inputs
            .refused_for
            .filter(|_| rejection_window::is_recorded(&situation, pair));
        situation.first_request_wait = newcomer::wait(&situation, pair);
        situation
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
