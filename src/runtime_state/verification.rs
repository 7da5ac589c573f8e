//! The question to AWS that a resource waits for without a run. A run would hold the resource meanwhile:
//! nothing that happens to its source, spec or target would be looked at.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::{task::AbortHandle, time::Instant};

use crate::{
    api::Reason,
    decide::{InputsHash, Question},
    fingerprint::Fingerprint,
    verdict::Answer,
};

/// How long an answer lasts that no run has used: runs may fail for hours.
const LASTS: Duration = Duration::from_mins(1);

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The pair.
    pub fingerprint: Fingerprint,
    /// The region that is asked.
    pub region: String,
    /// Whether a pair waits to be published.
    pub new_pair: bool,
}

/// A question that was asked, and its answer once there is one. Dropped, it is given up.
#[derive(Debug)]
pub struct PendingVerification {
    about: Subject,
    /// What other regions answered about the pair before.
    before: Vec<(String, Answer)>,
    answer: Arc<OnceLock<(Answer, Instant)>>,
    look: Option<InputsHash>,
    task: AbortHandle,
}

impl PendingVerification {
    /// Waits for an answer, and then calls this.
    #[must_use]
    pub fn new(
        about: Subject,
        before: Vec<(String, Answer)>,
        answer: BoxFuture<'static, Answer>,
        then: impl FnOnce() + Send + 'static,
    ) -> Self {
        let slot = Arc::<OnceLock<_>>::default();
        let task = tokio::spawn({
            let slot = Arc::clone(&slot);
            async move {
                // A panic in here would leave the question open for good.
                let answer = AssertUnwindSafe(answer).catch_unwind().await;
                let answer = answer.unwrap_or_else(|_| {
                    tracing::error!("a question to STS panicked, which is a bug");
                    Answer::Undetermined(Reason::StsUnexpectedResponse)
                });
                let _ = slot.set((answer, Instant::now()));
                then();
            }
        });
        Self {
            about,
            before,
            answer: slot,
            look: None,
            task: task.abort_handle(),
        }
    }

    /// What decisions know of it.
    #[must_use]
    pub fn state(&self) -> Question {
        match self.answer.get() {
            Some(_) => Question::Answered,
            None => Question::Open(self.look),
        }
    }

    /// Whether it has no answer yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answer.get().is_none()
    }

    /// Whether it is open, and nobody need ask this beside it.
    #[must_use]
    pub fn waits_for(&self, about: &Subject) -> bool {
        let same =
            (self.about.fingerprint, &self.about.region) == (about.fingerprint, &about.region);
        same && (self.about.new_pair || !about.new_pair) && self.is_open()
    }

    /// What AWS answered about a pair, by region.
    #[must_use]
    pub fn answers(&self, fingerprint: Fingerprint) -> Vec<(String, Answer)> {
        let fresh = self.answer.get().filter(|(_, at)| at.elapsed() < LASTS);
        match fresh.filter(|_| self.about.fingerprint == fingerprint) {
            Some((answer, _)) => {
                let last = (self.about.region.clone(), answer.clone());
                self.before.iter().cloned().chain([last]).collect()
            }
            None => Vec::new(),
        }
    }

    /// What is there to do stays the same, and the world looks like this now.
    pub fn changed(&mut self, look: InputsHash) {
        self.look = self.look.map(|_| look);
    }

    /// A run is over, and leaves the world like this; none if it left something to do.
    pub fn left(&mut self, look: Option<InputsHash>) {
        self.look = look;
    }
}

impl Drop for PendingVerification {
    fn drop(&mut self) {
        self.task.abort();
    }
}
