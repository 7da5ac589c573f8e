//! What STS last answered about each pair, as long as that may stand for a new answer.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::CallerIdentityReply;
use crate::fingerprint::Fingerprint;

/// How long a refusal stands. A settling pair is asked about every 2 s, a refused one when its source is
/// touched, and one whose signature a proxy breaks after some seconds: STS must then be asked indeed.
/// Several resources that use the pair come within less.
const NEGATIVE_TTL: Duration = Duration::from_millis(1500);

/// The last replies, up to a number of pairs; the oldest go first. It holds no key material.
#[derive(Debug)]
pub(super) struct ResponseCache {
    capacity: usize,
    clock: u64,
    replies: HashMap<Fingerprint, (u64, CallerIdentityReply)>,
    ages: BTreeMap<u64, Fingerprint>,
}

impl ResponseCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            clock: 0,
            replies: HashMap::new(),
            ages: BTreeMap::new(),
        }
    }

    /// The last reply, if it was obtained at `not_before` or later and still stands at `now`.
    pub(super) fn get(
        &self,
        hash: &Fingerprint,
        not_before: Instant,
        now: Instant,
    ) -> Option<CallerIdentityReply> {
        let (_, reply) = self.replies.get(hash)?;
        let stands =
            !reply.answer.is_refusal() || now.saturating_duration_since(reply.at) <= NEGATIVE_TTL;
        (reply.at >= not_before && stands).then(|| reply.clone())
    }

    /// Keeps a reply that says something about the pair.
    pub(super) fn insert(&mut self, hash: Fingerprint, reply: CallerIdentityReply) {
        if reply.answer.undetermined().is_some() {
            return;
        }
        self.clock += 1;
        if let Some((age, _)) = self.replies.insert(hash, (self.clock, reply)) {
            self.ages.remove(&age);
        }
        self.ages.insert(self.clock, hash);
        while self.replies.len() > self.capacity {
            let Some((_, oldest)) = self.ages.pop_first() else {
                return;
            };
            self.replies.remove(&oldest);
        }
    }
}
