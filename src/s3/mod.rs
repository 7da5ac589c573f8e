//! S3-compatible stores behind the trait [`Sts`]: whether a store knows a key pair.
//!
//! A store names no identity, so its proof is that it gives another answer to a right signature than to a wrong one.
//! [`Client`] asks one store by `ListBuckets`, which needs a right that a pair may lack: rights are checked after the
//! signature.

mod classify;
mod client;
mod proof;
mod random;
mod xml;

use std::{borrow::Cow, sync::Arc};

use futures::future::BoxFuture;

use crate::{
    api::Reason,
    domain::{pair::KeyPair, place::Store, verdict::Answer},
    sts::{CaError, CallerIdentityReply, CallerIdentityRequest, Sts, TrustedCa},
};

use client::HttpStore;
use proof::Prover;

/// Asks one store about pairs.
///
/// Requests ignore the environment: no profile, no proxy variable, no redirect. The only exception is `SSL_CERT_FILE`,
/// which replaces the system's root certificates, as for any program.
#[derive(Debug)]
pub struct Client {
    store: Arc<Store>,
    prover: Prover<HttpStore>,
}

/// Why a store cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The CA bundle of the class is unusable.
    #[error("the CA bundle cannot be used")]
    Ca(#[from] CaError),
}

/// Whether a store distinguishes pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The store refuses a random pair.
    Authenticates,
    /// The store accepts a random pair, so its answers prove nothing.
    AcceptsAnything,
    /// The store gave no answer about a random pair, for this reason.
    Unknown(Reason),
}

impl Client {
    /// A client for one store, with a pool of connections of its own.
    ///
    /// # Errors
    /// The CA bundle of the store is unusable.
    pub fn new(store: Arc<Store>) -> Result<Self, ClientError> {
        let ca = store.ca_bundle.as_ref();
        let ca = ca.map(|pem| TrustedCa::from_pem(pem.clone().into_bytes()));
        let http = HttpStore::new(Arc::clone(&store), ca.transpose()?.as_ref());
        Ok(Self {
            store,
            prover: Prover::new(http),
        })
    }

    /// Whether the store refuses a random pair. The store is asked at most once an hour, or once a minute while it
    /// accepts a random pair; an outage is not remembered.
    pub async fn authentication(&self) -> Authentication {
        self.prover.authentication().await
    }

    /// What the store says about a pair, in up to 5 requests of at most 10 s each: up to 2 with a random pair, unless
    /// the answer to these is remembered, and 1 to 3 about the pair.
    pub async fn answer(&self, pair: &KeyPair) -> Answer {
        self.prover.answer(pair).await
    }
}

impl Sts for Client {
    fn get_caller_identity(
        &self,
        request: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        Box::pin(async move { CallerIdentityReply::now(self.answer(&request.pair).await) })
    }

    fn destination<'a>(&'a self, _: &'a CallerIdentityRequest) -> Cow<'a, str> {
        Cow::Borrowed(&self.store.url)
    }
}

#[cfg(test)]
mod tests;
