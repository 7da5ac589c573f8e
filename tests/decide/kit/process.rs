//! What one process knows, and forgets when it ends.

use std::{collections::HashMap, time::Duration};

use static_aws_credentials::{
    fingerprint::{Fingerprint, FingerprintKey},
    index::Index,
    remembered::{Refusals, Remembered},
    verdict::Answer,
};

/// How long an unknown key stays unknown to those who ask a little later.
const UNKNOWN_FOR: Duration = Duration::from_millis(1500);

/// The memory of one process.
pub struct Process {
    pub index: Index,
    pub remembered: HashMap<String, Remembered>,
    pub refusals: Refusals,
    pub key: FingerprintKey,
    replies: HashMap<(Fingerprint, String), (Answer, Duration)>,
}

impl Process {
    /// One that knows nothing.
    pub fn new() -> Self {
        Self {
            index: Index::default(),
            remembered: HashMap::new(),
            refusals: Refusals::default(),
            key: FingerprintKey::random().expect("there is randomness"),
            replies: HashMap::new(),
        }
    }

    /// What is remembered of a resource.
    pub fn remembered(&mut self, uid: &str) -> &mut Remembered {
        self.remembered.entry(uid.to_owned()).or_default()
    }

    /// An answer that still stands, as all who use a pair share it.
    pub fn recall(
        &self,
        fingerprint: Fingerprint,
        region: &str,
        max_age: Duration,
        now: Duration,
    ) -> Option<Answer> {
        let (answer, at) = self.replies.get(&(fingerprint, region.to_owned()))?;
        let age = now.saturating_sub(*at);
        let stands = *answer != Answer::UnknownKey || age <= UNKNOWN_FOR;
        (age <= max_age && stands).then(|| answer.clone())
    }

    /// Keeps an answer that says something.
    pub fn keep(&mut self, fingerprint: Fingerprint, region: &str, answer: &Answer, now: Duration) {
        if !matches!(answer, Answer::Undetermined(_)) {
            let key = (fingerprint, region.to_owned());
            self.replies.insert(key, (answer.clone(), now));
        }
    }
}
