//! One call per distinct pair, however many ask.

use std::sync::Mutex;

use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{
    Limiter, Question, Rate, Reply, Sts,
    flight::{Flights, Sight},
    memory::Memory,
};
use crate::{
    fingerprint::{Fingerprint, FingerprintKey},
    lock::lock,
};

/// Twice the pairs that one operator is built for, at some 250 bytes each.
const REMEMBERED: usize = 20_000;

/// Stands before another [`Sts`] and asks it only what nobody else has asked: replies are shared
/// among all who ask about the same pair, and calls go out at a limited rate, namespaces in turn.
#[derive(Debug)]
pub struct Prover<S> {
    sts: S,
    key: FingerprintKey,
    limiter: Limiter,
    flights: Flights,
    memory: Mutex<Memory>,
}

impl<S: Sts> Prover<S> {
    /// A prover that remembers nothing yet.
    ///
    /// # Errors
    /// Fails if the system has no randomness to give.
    pub fn new(sts: S, rate: Rate) -> Result<Self, getrandom::Error> {
        Ok(Self {
            sts,
            key: FingerprintKey::random()?,
            limiter: Limiter::new(rate),
            flights: Flights::default(),
            memory: Mutex::new(Memory::new(REMEMBERED)),
        })
    }

    /// Each question keeps its own place in the limiter, by namespace and urgency, until a call about
    /// the pair starts. In the place of the first that asked about the pair, a new pair would wait behind
    /// interval proofs, and one namespace behind another.
    async fn reply(&self, question: Question) -> Reply {
        let hash = self
            .key
            .of(&question.pair, &[&question.region, &question.endpoint]);
        // Before the memory is searched: whatever lands after this is seen, before it is remembered.
        let mut spotter = self.flights.spot(hash);
        if let Some(reply) = self.recall(&hash, question.not_before) {
            return reply;
        }
        loop {
            match spotter.look() {
                Sight::Landed(reply) => return reply,
                Sight::Flying => spotter.changed().await,
                Sight::Clear => {
                    tokio::select! {
                        biased;
                        () = spotter.changed() => {}
                        token = self.limiter.enter(question.urgency, &question.namespace) => {
                            if let Some(flight) = spotter.take_off() {
                                token.spend();
                                let reply = self.sts.ask(question).await;
                                lock(&self.memory).keep(hash, reply.clone());
                                flight.land(reply.clone());
                                return reply;
                            }
                        }
                    }
                }
            }
        }
    }

    fn recall(&self, hash: &Fingerprint, not_before: Instant) -> Option<Reply> {
        lock(&self.memory).recall(hash, not_before, Instant::now())
    }
}

impl<S: Sts> Sts for Prover<S> {
    fn ask(&self, question: Question) -> BoxFuture<'_, Reply> {
        Box::pin(self.reply(question))
    }

    fn waiting(&self) -> usize {
        self.limiter.waiting()
    }
}
