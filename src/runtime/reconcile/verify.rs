//! Requests to STS or a store, which may be queued for much longer than a reconcile should last.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::Driver;
use crate::{
    domain::{
        decide::{Awaited, Cause, InputsHash, Query, Source, SourcePair},
        reconcile::Event,
        verdict::Answer,
    },
    runtime::pending_verification::{PendingVerification, Subject},
    sts::{CallerIdentityRequest, Priority},
};

/// How long a reconcile itself waits for an answer. Most answers arrive sooner, and no second reconcile has to
/// read the Secrets again then.
const INLINE_WAIT: Duration = Duration::from_secs(1);
/// The same during an outage of the endpoint, which may just have ended.
const INLINE_WAIT_IN_OUTAGE: Duration = Duration::from_millis(200);

impl Driver<'_> {
    /// Asks about the source's pair where it is proven. A late answer is left to a later reconcile;
    /// the present reconcile continues without the answer.
    pub(super) async fn ask(&mut self, query: Query) -> Event {
        let Some(pair) = self.run.pair() else {
            return Event::Begun;
        };
        let about = Subject {
            fingerprint: pair.fingerprint,
            place: query.place.key(),
            new_pair: query.new_pair,
        };
        let question = self.question(pair, &query);
        let sts = Arc::clone(&self.context.shared.sts);
        if !self.waits_for(&about) {
            let mut answer = self.answer(question.clone());
            // STS and its rate limiter may take long: the slot is released for other resources meanwhile.
            self.slot = None;
            let outage = sts.outage(&question);
            let patience = outage.map_or(INLINE_WAIT, |_| INLINE_WAIT_IN_OUTAGE);
            if let Ok(answer) = timeout(patience, &mut answer).await {
                return Event::Answer(about.place, answer);
            }
            self.leave(about, answer);
        }
        let outage = sts.outage(&question);
        Event::Awaits(outage.map_or(Awaited::Turn, Awaited::Endpoint))
    }

    /// Whether an earlier reconcile sent the same request. A pending request about another subject is cancelled.
    fn waits_for(&self, about: &Subject) -> bool {
        let (waits, overtaken) = self.context.question(self.resource, |asked| {
            let waits = asked.as_ref().is_some_and(|asked| asked.waits_for(about));
            (waits, asked.take_if(|asked| !waits && asked.is_open()))
        });
        drop(overtaken);
        waits
    }

    /// Leaves a request pending without a reconcile. A waiting reconcile would block the resource and hold a pair
    /// read from it, and the objects that it read at its start would be outdated after half an hour.
    fn leave(&self, about: Subject, answer: BoxFuture<'static, Answer>) {
        let (context, key) = (Arc::downgrade(self.context), self.resource.key.clone());
        let awaited = self.context.shared.metrics.calls.awaited();
        let asked =
            PendingVerification::new(about, self.run.answers().to_vec(), answer, move || {
                if let Some(context) = context.upgrade() {
                    context.enqueue_for(Cause::Answer, [&key]);
                }
                // Dropped after the enqueue, so that the metrics show no idle moment in between.
                drop(awaited);
            });
        let asked = Some(Box::new(asked));
        let before = self
            .context
            .question(self.resource, |slot| std::mem::replace(slot, asked));
        drop(before);
    }

    /// Keeps the pending request at the end of a reconcile, with the inputs hash; `None` if the reconcile leaves
    /// work to do.
    pub(super) fn keep_question(&self, look: Option<InputsHash>) {
        self.context.question(self.resource, |slot| {
            if let Some(asked) = slot {
                asked.left(look);
            }
        });
    }

    /// Cancels the pending request, since its answer is not needed any more.
    pub(super) fn cancel_question(&self) {
        let given_up = self.context.question(self.resource, Option::take);
        drop(given_up);
    }

    /// The answers to an earlier reconcile's request, if the source still holds the same pair.
    pub(super) fn answers_about(&self, source: &Source) -> Vec<(String, Answer)> {
        let Some(fingerprint) = source.pair().map(|pair| pair.fingerprint) else {
            return Vec::new();
        };
        let answers = self.context.question(self.resource, |asked| {
            asked.as_ref().map(|asked| asked.answers(fingerprint))
        });
        answers.unwrap_or_default()
    }

    fn question(&self, pair: &SourcePair, query: &Query) -> CallerIdentityRequest {
        let now = Instant::now();
        let priority = if query.new_pair {
            Priority::NewPair
        } else {
            Priority::IntervalProof
        };
        CallerIdentityRequest::new(
            &self.resource.key.namespace,
            Arc::clone(&pair.pair),
            &query.place,
            priority,
            now.checked_sub(query.max_age).unwrap_or(now),
        )
    }

    fn answer(&self, question: CallerIdentityRequest) -> BoxFuture<'static, Answer> {
        let shared = Arc::clone(&self.context.shared);
        let answer = async move {
            let reply = shared.sts.get_caller_identity(question).await;
            shared.metrics.answered(&reply.answer);
            reply.answer
        };
        Box::pin(answer)
    }
}
