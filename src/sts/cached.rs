//! One call per distinct pair, for any number of concurrent requests.

use std::{borrow::Cow, sync::Mutex};

use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::{
    CallerIdentityReply, CallerIdentityRequest, Limiter, Rate, Sts, Token,
    breaker::{Breaker, Breakers, PROBE_INTERVAL},
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
    sts::fair_semaphore::Permit,
};

/// The capacity of the cache: twice the pairs that one operator is built for, at some 250 bytes each.
const CACHE_CAPACITY: usize = 20_000;

/// Wraps another [`Sts`]: requests about the same pair share one call and its reply, and calls go out at
/// a limited rate, namespaces in turn.
#[derive(Debug)]
pub struct CachedSts<S> {
    sts: S,
    key: FingerprintKey,
    limiter: Limiter,
    breakers: Breakers,
    flights: SingleFlight,
    cache: Mutex<ResponseCache>,
}

/// The right to one call.
struct CallPermit {
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
            cache: Mutex::new(ResponseCache::new(CACHE_CAPACITY)),
        })
    }

    /// Each request keeps its own place in the limiter, by namespace and priority, until a call about the
    /// pair starts. If all requests for a pair shared the place of the first request, a new pair could wait
    /// behind interval proofs, and one namespace behind the queue of another.
    async fn reply(&self, request: CallerIdentityRequest) -> CallerIdentityReply {
        let hash = self
            .key
            .of(&request.pair, &[&request.region, &request.endpoint]);
        // Before the cache lookup: a reply that is cached after the lookup reaches this subscriber.
        let mut subscriber = self.flights.join(hash);
        if let Some(reply) = self.reuse(&hash, request.not_before) {
            return reply;
        }
        let mut observer = self.breakers.observe(&self.sts.destination(&request));
        let breaker = observer.breaker();
        let mut outage = observer.outage();
        loop {
            match subscriber.poll() {
                CallState::Done(reply) => return reply,
                CallState::InFlight => subscriber.changed().await,
                CallState::Idle => {
                    tokio::select! {
                        biased;
                        () = subscriber.changed() => {}
                        () = observer.changed() => {
                            let before = std::mem::replace(&mut outage, observer.outage());
                            if let (None, Some(reason)) = (before, outage) {
                                return CallerIdentityReply::now(Answer::Outage(reason));
                            }
                        }
                        call_permit = self.call_permit(&breaker, outage.is_some(), &request) => {
                            if let Some(flight) = subscriber.try_start()
                                && let Some(reply) = self.call(&request, hash, flight, call_permit, &breaker).await
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
    /// If the token takes longer than [`PROBE_INTERVAL`], the permit goes to the next namespace.
    async fn call_permit(
        &self,
        breaker: &Breaker,
        is_open: bool,
        request: &CallerIdentityRequest,
    ) -> CallPermit {
        let (priority, namespace) = (request.priority, &request.namespace);
        loop {
            let probe = if is_open {
                Some(breaker.probe(namespace).await)
            } else {
                None
            };
            let token = self.limiter.acquire(priority, namespace);
            let token = match probe {
                None => Some(token.await),
                Some(_) => timeout(PROBE_INTERVAL, token).await.ok(),
            };
            if let Some(token) = token {
                return CallPermit { token, probe };
            }
        }
    }

    /// Makes one call. A probe that gets no answer shows nothing new, so its reply is given to none of the
    /// waiting requests.
    async fn call(
        &self,
        request: &CallerIdentityRequest,
        hash: Fingerprint,
        flight: InFlight,
        call_permit: CallPermit,
        breaker: &Breaker,
    ) -> Option<CallerIdentityReply> {
        call_permit.token.consume();
        let began = Instant::now();
        breaker.begin(began);
        let reply = self.sts.get_caller_identity(request.clone()).await;
        breaker.end(hash, began, &reply.answer);
        if call_permit.probe.is_some() && matches!(reply.answer, Answer::Outage(_)) {
            return None;
        }
        lock(&self.cache).insert(hash, reply.clone());
        flight.complete(reply.clone());
        Some(reply)
    }

    fn reuse(&self, hash: &Fingerprint, not_before: Instant) -> Option<CallerIdentityReply> {
        lock(&self.cache).get(hash, not_before, Instant::now())
    }
}

impl<S: Sts> Sts for CachedSts<S> {
    fn get_caller_identity(
        &self,
        request: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        Box::pin(self.reply(request))
    }

    fn waiting(&self) -> usize {
        self.limiter.waiting()
    }

    fn held(&self) -> usize {
        self.breakers.held()
    }

    fn outage(&self, request: &CallerIdentityRequest) -> Option<Reason> {
        self.breakers.outage(&self.sts.destination(request))
    }

    fn destination<'a>(&'a self, request: &'a CallerIdentityRequest) -> Cow<'a, str> {
        self.sts.destination(request)
    }
}
