//! STS behind one small trait: which AWS identity a key pair belongs to.
//!
//! [`Client`] calls STS; [`CachedSts`] wraps it and keeps the number of calls small.

mod body;
mod breaker;
mod ca;
mod cached;
mod classify;
mod client;
mod connector;
mod endpoint;
mod fair_semaphore;
mod limiter;
mod plugins;
mod proxy;
mod request_queue;
mod response_cache;
mod route;
mod singleflight;

use std::{borrow::Cow, sync::Arc};

use futures::future::BoxFuture;
use tokio::time::Instant;

pub use ca::{CaError, TrustedCa};
pub use cached::CachedSts;
pub use classify::{Outcome, classify};
pub use client::Client;
pub use endpoint::{Endpoint, has_valid_port, parse_endpoint};
pub use limiter::{Limiter, Rate, Token};
pub use proxy::{LoginFiles, Proxy, ProxyError, ProxyUrl, parse_proxy};
pub use route::Route;

// For the client of S3-compatible stores.
pub(crate) use body::LIMIT;
pub(crate) use classify::THROTTLING;
pub(crate) use client::{DEADLINE, credentials};
pub(crate) use connector::direct_connector;
pub(crate) use plugins::USER_AGENT;

use crate::{
    api::Reason,
    domain::{
        pair::KeyPair,
        place::{Place, Store},
        verdict::Answer,
    },
};

/// Finds the AWS identity of a key pair.
pub trait Sts: Send + Sync + 'static {
    /// Sends a request about a pair. The future may wait in the queue of the rate limiter without a time
    /// limit; a dropped future gives up its place in that queue.
    fn get_caller_identity(
        &self,
        request: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply>;

    /// How many requests wait in the queue of a rate limiter: 0 without a limiter.
    fn waiting(&self) -> usize {
        0
    }

    /// How many requests wait for an endpoint that gives no answer.
    fn held(&self) -> usize {
        0
    }

    /// Why the endpoint of a request gives no answer at present, if that is known.
    fn outage(&self, _: &CallerIdentityRequest) -> Option<Reason> {
        None
    }

    /// The address that a request is sent to.
    fn destination<'a>(&'a self, request: &'a CallerIdentityRequest) -> Cow<'a, str> {
        Cow::Borrowed(&request.endpoint)
    }
}

/// A `GetCallerIdentity` request for one pair.
#[derive(Clone, Debug)]
pub struct CallerIdentityRequest {
    /// The namespace that the request is queued under.
    pub namespace: String,
    /// The key pair.
    pub pair: Arc<KeyPair>,
    /// The region that the request is signed for.
    pub region: String,
    /// The URL of the region's STS, or of the store.
    pub endpoint: String,
    /// The store that proves the pair in the place of STS.
    pub store: Option<Arc<Store>>,
    /// The purpose of the request.
    pub priority: Priority,
    /// A cached answer that was obtained at this instant or later may be reused.
    pub not_before: Instant,
}

impl CallerIdentityRequest {
    /// A request about a pair where the pair is proven.
    #[must_use]
    pub fn new(
        namespace: &str,
        pair: Arc<KeyPair>,
        place: &Place,
        priority: Priority,
        not_before: Instant,
    ) -> Self {
        let (region, endpoint) = match place {
            Place::Sts(region) => (region.as_str().to_owned(), region.sts_endpoint()),
            Place::Store(store) => (store.region.clone(), store.url.clone()),
        };
        Self {
            namespace: namespace.to_owned(),
            pair,
            region,
            endpoint,
            store: place.store().cloned(),
            priority,
            not_before,
        }
    }
}

/// The purpose of a request. New pairs get 3 of 4 calls while requests of both kinds wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// An unpublished pair waits for the answer.
    NewPair,
    /// A published pair is proven again.
    IntervalProof,
}

/// An answer of STS, and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentityReply {
    /// The answer.
    pub answer: Answer,
    /// When it was obtained.
    pub at: Instant,
}

impl CallerIdentityReply {
    pub(crate) fn now(answer: Answer) -> Self {
        let at = Instant::now();
        Self { answer, at }
    }
}

impl<S: Sts + ?Sized> Sts for Arc<S> {
    fn get_caller_identity(
        &self,
        request: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        (**self).get_caller_identity(request)
    }

    fn waiting(&self) -> usize {
        (**self).waiting()
    }

    fn held(&self) -> usize {
        (**self).held()
    }

    fn outage(&self, request: &CallerIdentityRequest) -> Option<Reason> {
        (**self).outage(request)
    }

    fn destination<'a>(&'a self, request: &'a CallerIdentityRequest) -> Cow<'a, str> {
        (**self).destination(request)
    }
}
