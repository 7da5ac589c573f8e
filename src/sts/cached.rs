//! One call per distinct pair, for any number of concurrent requests.

use std::{borrow::Cow, sync::Mutex};

use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::{
    CallerIdentityReply, CallerIdentityRequest, Limiter, Rate, Sts, Token,
    breaker::{Breaker, Breakers, PROBE},
    response_cache::ResponseCache,
    singleflight::{CallState, InFlight, SingleFlight},
};
use crate::{
    api::Reason,
    domain::{
        fingerprint::{Fingerprint, FingerprintKey},
        lock::lock,
        verdict::Answer,
    },
    sts::fair::Permit,
};

/// The capacity of the cache: twice the pairs that one operator is built for, at some 250 bytes each.
const REMEMBERED: usize = 20_000;

/// Wraps another [`Sts`]: requests about the same pair share one call and its reply, and calls go out at
/// a limited rate, namespaces in turn.
#[derive(Debug)]
pub struct CachedSts<S> {
    sts: S,
    key: FingerprintKey,
    limiter: Limiter,
    breakers: Breakers,
    flights: SingleFlight,
    memory: Mutex<ResponseCache>,
}

/// The right to one call.
struct Turn {
    token: Token,
    probe: Option<Permit>,
}

impl<S: Sts> CachedSts<S> {
    /// Wraps `sts`, with an empty cache.
    ///
    /// # Errors
    /// Fails if the system provides no randomness.
    pub fn new(sts: S, rate: Rate) -> Result<Self, getrandom::Error> {
        Ok(Self {
            sts,
            key: FingerprintKey::random()?,
            limiter: Limiter::new(rate),
            breakers: Breakers::default(),
            flights: SingleFlight::default(),
            memory: Mutex::new(ResponseCache::new(REMEMBERED)),
        })
    }

    /// Each request keeps its own place in the limiter, by namespace and priority, until a call about the
    /// pair starts. If all requests for a pair shared the place of the first request, a new pair could wait
    /// behind interval proofs, and one namespace behind the queue of another.
    async fn reply(&self, question: CallerIdentityRequest) -> CallerIdentityReply {
        let hash = self
            .key
            .of(&question.pair, &[&question.region, &question.endpoint]);
        // Before the cache lookup: a reply that is cached after the lookup reaches this subscriber.
        let mut spotter = self.flights.join(hash);
        if let Some(reply) = self.reuse(&hash, question.not_before) {
            return reply;
        }
        let mut observer = self.breakers.observe(&self.sts.destination(&question));
        let breaker = observer.breaker();
        let mut outage = observer.outage();
        loop {
            match spotter.poll() {
                CallState::Done(reply) => return reply,
                CallState::InFlight => spotter.changed().await,
                CallState::Idle => {
                    tokio::select! {
                        biased;
                        () = spotter.changed() => {}
                        () = observer.changed() => {
                            let before = std::mem::replace(&mut outage, observer.outage());
                            if let (None, Some(reason)) = (before, outage) {
                                return CallerIdentityReply::now(Answer::Outage(reason));
                            }
                        }
                        turn = self.turn(&breaker, outage.is_some(), &question) => {
                            if let Some(flight) = spotter.try_start()
                                && let Some(reply) = self.call(&question, hash, flight, turn, &breaker).await
                            {
                                return reply;
                            }
                        }
                    }
                }
            }
        }
    }

    /// Waits for the right to call: the probe permit of an open breaker first, then the limiter's token.
    /// If the token takes longer than [`PROBE`], the permit goes to the next namespace.
    async fn turn(
        &self,
        breaker: &Breaker,
        is_open: bool,
        question: &CallerIdentityRequest,
    ) -> Turn {
        let (urgency, namespace) = (question.priority, &question.namespace);
        loop {
            let probe = if is_open {
                Some(breaker.probe(namespace).await)
            } else {
                None
            };
            let token = self.limiter.acquire(urgency, namespace);
            let token = match probe {
                None => Some(token.await),
                Some(_) => timeout(PROBE, token).await.ok(),
            };
            if let Some(token) = token {
                return Turn { token, probe };
            }
        }
    }

    /// Makes one call. A probe that gets no answer shows nothing new, so its reply is given to none of the
    /// waiting requests.
    async fn call(
        &self,
        question: &CallerIdentityRequest,
        hash: Fingerprint,
        flight: InFlight,
        turn: Turn,
        breaker: &Breaker,
    ) -> Option<CallerIdentityReply> {
        turn.token.consume();
        let began = Instant::now();
        breaker.begin(began);
        let reply = self.sts.get_caller_identity(question.clone()).await;
        breaker.end(hash, began, &reply.answer);
        if turn.probe.is_some() && matches!(reply.answer, Answer::Outage(_)) {
            return None;
        }
        lock(&self.memory).insert(hash, reply.clone());
        flight.complete(reply.clone());
        Some(reply)
    }

    fn reuse(&self, hash: &Fingerprint, not_before: Instant) -> Option<CallerIdentityReply> {
        lock(&self.memory).get(hash, not_before, Instant::now())
    }
}

impl<S: Sts> Sts for CachedSts<S> {
    fn get_caller_identity(
        &self,
        question: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        Box::pin(self.reply(question))
    }

    fn waiting(&self) -> usize {
        self.limiter.waiting()
    }

    fn held(&self) -> usize {
        self.breakers.held()
    }

    fn outage(&self, question: &CallerIdentityRequest) -> Option<Reason> {
        self.breakers.outage(&self.sts.destination(question))
    }

    fn destination<'a>(&'a self, question: &'a CallerIdentityRequest) -> Cow<'a, str> {
        self.sts.destination(question)
    }
}
