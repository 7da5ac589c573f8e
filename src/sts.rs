//! The outside world behind one small trait: who does AWS say a key pair belongs to?
//!
//! [`Client`] asks STS; [`CachedSts`] stands before it and keeps the number of calls small.

mod body;
mod breaker;
mod ca;
mod cached;
mod classify;
mod client;
mod connector;
mod endpoint;
mod limiter;
mod plugins;
mod proxy;
mod response_cache;
mod route;
mod singleflight;
mod turns;

use std::{borrow::Cow, sync::Arc};

use futures::future::BoxFuture;
use tokio::time::Instant;

pub use ca::{CaError, TrustedCa};
pub use cached::CachedSts;
pub use classify::{Outcome, classify};
pub use client::Client;
pub use endpoint::{Endpoint, has_sound_port, parse_endpoint};
pub use limiter::{Limiter, Rate, Token};
pub use proxy::{LoginFiles, Proxy, ProxyError, ProxyUrl, parse_proxy};
pub use route::Route;

use crate::{api::Reason, pair::KeyPair, verdict::Answer};

/// Whoever can say whose a key pair is.
pub trait Sts: Send + Sync + 'static {
    /// Asks about a pair. It may wait for its turn for as long as that takes; whoever drops the
    /// future gives up the turn.
    fn get_caller_identity(
        &self,
        question: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply>;

    /// How many questions wait for their turn. Whoever asks at once has none.
    fn waiting(&self) -> usize {
        0
    }

    /// How many questions wait for the first answer of an endpoint that gives none.
    fn held(&self) -> usize {
        0
    }

    /// Why the endpoint of a question gives no answer at present, where that is known.
    fn outage(&self, _: &CallerIdentityRequest) -> Option<Reason> {
        None
    }

    /// The address that a question goes to.
    fn destination<'a>(&'a self, question: &'a CallerIdentityRequest) -> Cow<'a, str> {
        Cow::Borrowed(&question.endpoint)
    }
}

/// A question about one pair.
#[derive(Clone, Debug)]
pub struct CallerIdentityRequest {
    /// The namespace in whose turn it is asked.
    pub namespace: String,
    /// The pair.
    pub pair: Arc<KeyPair>,
    /// The region that the request is signed for.
    pub region: String,
    /// The URL of the region's STS.
    pub endpoint: String,
    /// What the answer is for.
    pub priority: Priority,
    /// An answer that was obtained at this instant or later is as good as a new one.
    pub not_before: Instant,
}

/// What an answer is for. New pairs get 3 of 4 turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A pair that is not published waits for it.
    NewPair,
    /// A published pair is proven again.
    IntervalProof,
}

/// What was answered, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentityReply {
    /// The answer.
    pub answer: Answer,
    /// When it was obtained.
    pub at: Instant,
}

impl CallerIdentityReply {
    fn now(answer: Answer) -> Self {
        let at = Instant::now();
        Self { answer, at }
    }
}

impl<S: Sts + ?Sized> Sts for Arc<S> {
    fn get_caller_identity(
        &self,
        question: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        (**self).get_caller_identity(question)
    }

    fn waiting(&self) -> usize {
        (**self).waiting()
    }

    fn held(&self) -> usize {
        (**self).held()
    }

    fn outage(&self, question: &CallerIdentityRequest) -> Option<Reason> {
        (**self).outage(question)
    }

    fn destination<'a>(&'a self, question: &'a CallerIdentityRequest) -> Cow<'a, str> {
        (**self).destination(question)
    }
}
