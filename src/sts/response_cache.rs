//! The last reply of STS about each pair, as long as the reply may be reused.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::CallerIdentityReply;
use crate::domain::fingerprint::Fingerprint;

/// How long a rejection is reused: shorter than the pause before a retry, which must reach STS (2 s for a
/// settling pair, some seconds for a signature that a proxy breaks, and a change of the source for a
/// rejected pair), but long enough for several resources that use the pair.
const NEGATIVE_TTL: Duration = Duration::from_millis(1500);

/// The last replies for `capacity` pairs at most; the oldest are evicted first. Holds no key material.
#[derive(Debug)]
pub(super) struct ResponseCache {
    capacity: usize,
    sequence: u64,
    replies: HashMap<Fingerprint, (u64, CallerIdentityReply)>,
    by_age: BTreeMap<u64, Fingerprint>,
}

impl ResponseCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            sequence: 0,
            replies: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    /// The last reply, if obtained at `not_before` or later; a rejection also expires after [`NEGATIVE_TTL`].
    pub(super) fn get(
        &self,
        hash: &Fingerprint,
        not_before: Instant,
        now: Instant,
    ) -> Option<CallerIdentityReply> {
        let (_, reply) = self.replies.get(hash)?;
        let is_reusable =
            !reply.answer.is_refusal() || now.saturating_duration_since(reply.at) <= NEGATIVE_TTL;
        (reply.at >= not_before && is_reusable).then(|| reply.clone())
    }

    /// Keeps a reply, unless its answer leaves the pair undetermined.
    pub(super) fn insert(&mut self, hash: Fingerprint, reply: CallerIdentityReply) {
        if reply.answer.undetermined().is_some() {
            return;
        }
        self.sequence += 1;
        if let Some((age, _)) = self.replies.insert(hash, (self.sequence, reply)) {
            self.by_age.remove(&age);
        }
        self.by_age.insert(self.sequence, hash);
        while self.replies.len() > self.capacity {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                return;
            };
            self.replies.remove(&oldest);
        }
    }
}
