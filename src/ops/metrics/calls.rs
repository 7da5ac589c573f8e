//! Calls to AWS STS and to the stores of classes: their outcome and duration.

use std::borrow::Cow;

use futures::future::BoxFuture;
use prometheus_client::{
    metrics::{family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tokio::time::Instant;

use super::{Label, SECONDS};
use crate::{
    domain::verdict::Answer,
    sts::{CallerIdentityReply, CallerIdentityRequest, Sts},
};

type Seconds = Family<Label, Histogram, fn() -> Histogram>;

/// How long calls take, by outcome.
#[derive(Clone, Debug)]
pub struct Calls {
    to_sts: Seconds,
    to_stores: Seconds,
    awaited: Gauge,
}

/// Counts a resource that waits for an answer outside a reconcile, until dropped.
#[derive(Debug)]
pub struct Awaited(Gauge);

/// Measures the calls to another [`Sts`].
#[derive(Debug)]
pub struct Measured<S> {
    sts: S,
    seconds: Seconds,
}

impl Calls {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let seconds = || Family::new_with_constructor(histogram as fn() -> Histogram);
        let (to_sts, to_stores) = (seconds(), seconds());
        let name = "staticawscredentials_sts_call_duration_seconds";
        let help = "Duration of calls to AWS STS by answer";
        registry.register(name, help, to_sts.clone());
        let name = "staticawscredentials_store_call_duration_seconds";
        let help =
            "Duration of proofs by the stores of classes, of 1 to 5 requests each, by answer";
        registry.register(name, help, to_stores.clone());
        let awaited = Gauge::default();
        let name = "staticawscredentials_sts_awaited";
        let help = "Resources that wait for an answer of AWS STS outside of a reconcile";
        registry.register(name, help, awaited.clone());
        Self {
            to_sts,
            to_stores,
            awaited,
        }
    }

    /// Counts a resource that waits for an answer, until the returned value is dropped.
    #[must_use]
    pub fn awaited(&self) -> Awaited {
        self.awaited.inc();
        Awaited(self.awaited.clone())
    }

    /// Wraps a client of STS so that its calls are measured.
    #[must_use]
    pub fn of<S: Sts>(&self, sts: S) -> Measured<S> {
        let seconds = self.to_sts.clone();
        Measured { sts, seconds }
    }

    /// Wraps a client of a store, likewise.
    #[must_use]
    pub fn of_store<S: Sts>(&self, sts: S) -> Measured<S> {
        let seconds = self.to_stores.clone();
        Measured { sts, seconds }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

/// An answer as a label.
pub(super) fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Identity(_) => "Identity",
        Answer::Authenticated => "Authenticated",
        Answer::UnknownKey => "UnknownKey",
        Answer::SignatureMismatch => "SignatureMismatch",
        Answer::Expired => "Expired",
        Answer::Undetermined(reason) | Answer::Outage(reason) => reason.as_str(),
    }
}

impl<S: Sts> Sts for Measured<S> {
    fn get_caller_identity(
        &self,
        question: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        Box::pin(async move {
            let began = Instant::now();
            let reply = self.sts.get_caller_identity(question).await;
            let outcome = [("outcome", word(&reply.answer))];
            let seconds = began.elapsed().as_secs_f64();
            self.seconds.get_or_create(&outcome).observe(seconds);
            reply
        })
    }

    fn destination<'a>(&'a self, question: &'a CallerIdentityRequest) -> Cow<'a, str> {
        self.sts.destination(question)
    }
}
