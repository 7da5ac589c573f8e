//! The rules of the proof: which requests are sent to a store before its answers count.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::{
    Authentication,
    classify::{Outcome, weigh_denial},
    random::{self, Form},
};
use crate::{
    api::Reason,
    domain::{pair::KeyPair, verdict::Answer},
};

/// How long the refusal of a random pair counts.
pub(super) const CONTROL_TTL: Duration = Duration::from_hours(1);
/// How long the acceptance of a random pair counts: short, since all pairs wait until an administrator has given the
/// store identities.
pub(super) const ACCEPTANCE_TTL: Duration = Duration::from_mins(1);

/// Sends one request that is signed with a pair.
pub(super) trait Ask: Send + Sync {
    /// What the store answers to the pair.
    fn ask(&self, pair: &KeyPair) -> impl Future<Output = Outcome> + Send;
}

/// The proof of pairs by one store.
#[derive(Debug)]
pub(super) struct Prover<A> {
    store: A,
    control: Mutex<Option<Control>>,
    /// The number of control questions that have ended.
    ended: AtomicU64,
}

/// What the store answered to a random pair.
#[derive(Clone, Copy, Debug)]
struct Control {
    outcome: Outcome,
    at: Instant,
}

impl<A: Ask> Prover<A> {
    pub(super) fn new(store: A) -> Self {
        Self {
            store,
            control: Mutex::new(None),
            ended: AtomicU64::new(0),
        }
    }

    /// Whether the store refuses a random pair.
    pub(super) async fn authentication(&self) -> Authentication {
        let outcome = self.control().await;
        match outcome.answer() {
            _ if outcome.refuses() => Authentication::Authenticates,
            Answer::Undetermined(reason) | Answer::Outage(reason) => {
                Authentication::Unknown(reason)
            }
            _ => Authentication::AcceptsAnything,
        }
    }

    /// What the store says about a pair.
    pub(super) async fn answer(&self, pair: &KeyPair) -> Answer {
        match self.control().await {
            Outcome::Success => Answer::Undetermined(Reason::EndpointAcceptsAnything),
            outcome if outcome.refuses() => self.judge(pair).await,
            outcome => outcome.answer(),
        }
    }

    async fn judge(&self, pair: &KeyPair) -> Answer {
        let question = self.store.ask(pair).await;
        if question != Outcome::AccessDenied {
            return question.answer();
        }
        let Ok(wrong) = random::with_wrong_secret(pair) else {
            return question.answer();
        };
        let follow_up = self.store.ask(&wrong).await;
        if !follow_up.refuses_wrong_pairs_only() {
            return weigh_denial(follow_up);
        }
        // A store that starts, or a gateway before the store, can deny the first question of any pair, and no
        // longer the follow-up. The answer to the pair must be the same after the follow-up as before.
        match self.store.ask(pair).await {
            Outcome::AccessDenied => weigh_denial(follow_up),
            question => question.answer(),
        }
    }

    /// The last answer to a random pair, or a new one. Concurrent callers share one question and each of its outcomes.
    /// Otherwise only an answer that distinguishes stores is remembered.
    async fn control(&self) -> Outcome {
        let ended = self.ended.load(Ordering::Acquire);
        let mut control = self.control.lock().await;
        if let Some(known) = *control {
            let ended_meanwhile = self.ended.load(Ordering::Acquire) != ended;
            if ended_meanwhile || known.at.elapsed() < known.lifetime() {
                return known.outcome;
            }
        }
        let outcome = self.ask_control().await;
        let at = Instant::now();
        *control = Some(Control { outcome, at });
        self.ended.fetch_add(1, Ordering::Release);
        outcome
    }

    async fn ask_control(&self) -> Outcome {
        match self.ask_random(Form::Aws).await {
            Outcome::KeyForm => self.ask_random(Form::Hexadecimal).await,
            outcome => outcome,
        }
    }

    async fn ask_random(&self, form: Form) -> Outcome {
        match random::pair(form) {
            Ok(pair) => self.store.ask(&pair).await,
            // No request is sent without randomness.
            Err(_) => Outcome::Unreachable,
        }
    }
}

impl Control {
    fn lifetime(self) -> Duration {
        match self.outcome {
            Outcome::Success => ACCEPTANCE_TTL,
            outcome if outcome.refuses() => CONTROL_TTL,
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
