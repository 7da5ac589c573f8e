//! Questions to AWS, which may wait for their turn much longer than a run should last.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::Run;
use crate::{
    decide::{Query, Source, SourcePair},
    fingerprint::Fingerprint,
    sts::{Question, Urgency},
    verdict::Answer,
};

/// For how long a run waits itself while other questions are in front of its own.
const PATIENCE: Duration = Duration::from_secs(1);

/// A question that waits for its turn without the run that has it. A run holds its resource and a
/// pair read from it, more than ten times as much as its question; and what it read when it began
/// says little once it has waited for half an hour.
pub struct Asking {
    region: String,
    answered: Answered,
    answer: BoxFuture<'static, Answer>,
}

/// What AWS said about one pair, for the next run of the resource.
#[derive(Debug)]
pub struct Answered {
    fingerprint: Fingerprint,
    answers: Vec<(String, Answer)>,
}

impl Asking {
    /// Waits for the answer.
    pub async fn answered(self) -> Answered {
        let (mut answered, answer) = (self.answered, self.answer.await);
        answered.answers.push((self.region, answer));
        answered
    }
}

impl Run<'_> {
    /// Asks about the source's pair. What is returned waits, and the run is over.
    pub(super) async fn ask(&mut self, query: Query) -> Option<Asking> {
        let pair = self.pair()?;
        let fingerprint = pair.fingerprint;
        let region = query.region.as_str().to_owned();
        let mut answer = self.question(pair, &query);
        // AWS may take long, and its limiter longer: nobody waits behind this run meanwhile.
        self.place = None;
        loop {
            if let Ok(answer) = timeout(PATIENCE, &mut answer).await {
                self.answers.push((region, answer));
                return None;
            }
            // A call that is under way ends soon, and there are few of them.
            if self.context.shared.sts.waiting() > 0 {
                let answers = std::mem::take(&mut self.answers);
                let answered = Answered {
                    fingerprint,
                    answers,
                };
                return Some(Asking {
                    region,
                    answered,
                    answer,
                });
            }
        }
    }

    /// What an earlier run was told stands if the source still holds the pair that it asked about.
    pub(super) fn recall(&mut self) {
        let fingerprint = self.pair().map(|pair| pair.fingerprint);
        let answered = self.answered.take();
        let answered = answered.filter(|answered| Some(answered.fingerprint) == fingerprint);
        self.answers
            .extend(answered.into_iter().flat_map(|answered| answered.answers));
    }

    pub(super) fn pair(&self) -> Option<&SourcePair> {
        match &self.source {
            Some(Source::Found(found)) => found.pair.as_ref().ok(),
            _ => None,
        }
    }

    fn question(&self, pair: &SourcePair, query: &Query) -> BoxFuture<'static, Answer> {
        let now = Instant::now();
        let question = Question {
            namespace: self.resource.key.namespace.to_string(),
            pair: Arc::clone(&pair.pair),
            region: query.region.as_str().to_owned(),
            endpoint: query.region.sts_endpoint(),
            urgency: if query.new_pair {
                Urgency::NewPair
            } else {
                Urgency::IntervalProof
            },
            not_before: now.checked_sub(query.max_age).unwrap_or(now),
        };
        let shared = Arc::clone(&self.context.shared);
        let answer = async move {
            let reply = shared.sts.ask(question).await;
            shared.metrics.answered(&reply.answer);
            reply.answer
        };
        Box::pin(answer)
    }
}
