//! A pending `GetCallerIdentity` request of a resource, without a reconcile that waits for it: a waiting reconcile
//! would block the resource, and changes of its source, spec or target would have no effect meanwhile.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::{task::AbortHandle, time::Instant};

use crate::{
    api::Reason,
    domain::{
        decide::{InputsHash, Question},
        fingerprint::Fingerprint,
        verdict::Answer,
    },
    runtime::stack,
};

/// Lifetime of an answer that no reconcile has used: reconciles may fail for hours.
const ANSWER_TTL: Duration = Duration::from_mins(1);

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Fingerprint of the pair.
    pub fingerprint: Fingerprint,
    /// The key of the place where the pair is proven.
    pub place: String,
    /// Whether the publication of the pair waits for the answer.
    pub new_pair: bool,
}

/// A request that was sent, and its answer once there is one. Dropping cancels the request.
#[derive(Debug)]
pub struct PendingVerification {
    about: Subject,
    /// Earlier answers of other places about the pair.
    before: Vec<(String, Answer)>,
    answer: Arc<OnceLock<(Answer, Instant)>>,
    inputs_hash: Option<InputsHash>,
    task: AbortHandle,
}

impl PendingVerification {
    /// Waits for the answer in a task, and then calls `then`.
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
                // Without this, a panic would leave the request pending forever.
                let answer = AssertUnwindSafe(answer).catch_unwind().await;
                stack::wipe();
                let answer = answer.unwrap_or_else(|_| {
                    tracing::error!("a call to STS panicked, which is a bug");
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
            inputs_hash: None,
            task: task.abort_handle(),
        }
    }

    /// The state of the request, as an input of decisions.
    #[must_use]
    pub fn state(&self) -> Question {
        match self.answer.get() {
            Some(_) => Question::Answered,
            None => Question::Open(self.inputs_hash),
        }
    }

    /// Whether the request has no answer yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answer.get().is_none()
    }

    /// Whether the request is pending and covers this subject, so that no further request is needed.
    #[must_use]
    pub fn waits_for(&self, about: &Subject) -> bool {
        let same = (self.about.fingerprint, &self.about.place) == (about.fingerprint, &about.place);
        same && (self.about.new_pair || !about.new_pair) && self.is_open()
    }

    /// The answers about a pair, by the key of the place.
    #[must_use]
    pub fn answers(&self, fingerprint: Fingerprint) -> Vec<(String, Answer)> {
        let fresh = self
            .answer
            .get()
            .filter(|(_, at)| at.elapsed() < ANSWER_TTL);
        match fresh.filter(|_| self.about.fingerprint == fingerprint) {
            Some((answer, _)) => {
                let last = (self.about.place.clone(), answer.clone());
                self.before.iter().cloned().chain([last]).collect()
            }
            None => Vec::new(),
        }
    }

    /// Updates the inputs hash, unless the last reconcile left work to do.
    pub fn changed(&mut self, inputs_hash: InputsHash) {
        self.inputs_hash = self.inputs_hash.map(|_| inputs_hash);
    }

    /// Stores the inputs hash at the end of a reconcile; `None` if the reconcile left work to do.
    pub fn left(&mut self, inputs_hash: Option<InputsHash>) {
        self.inputs_hash = inputs_hash;
    }
}

impl Drop for PendingVerification {
    fn drop(&mut self) {
        self.task.abort();
    }
}
