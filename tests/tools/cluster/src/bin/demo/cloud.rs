//! The AWS of the demo: moto on this machine, or the real one with the user's key pairs.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result};
use cluster::moto::{KeyPair, Moto};

const USER: &str = "orders";
const BUCKET: &str = "orders";

/// An AWS, and the pairs of one of its users.
pub(crate) struct Cloud {
    moto: Option<Moto>,
    pairs: Vec<KeyPair>,
    bucket: Option<String>,
}

impl Cloud {
    /// moto with a user who may list a bucket.
    pub(crate) async fn pretend() -> Result<Self> {
        let moto = Moto::start(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        moto.create_user(USER).await?;
        moto.create_bucket(BUCKET).await?;
        for number in 1..=3 {
            let key = format!("2026/order-{number}.json");
            moto.put_object(BUCKET, &key, "{}").await?;
        }
        moto.allow_listing(USER, BUCKET).await?;
        let first = moto.create_access_key(USER).await?;
        Ok(Self {
            moto: Some(moto),
            pairs: vec![first],
            bucket: Some(BUCKET.to_owned()),
        })
    }

    /// The real AWS.
    pub(crate) fn real(pairs: Vec<KeyPair>, bucket: Option<String>) -> Self {
        Self {
            moto: None,
            pairs,
            bucket,
        }
    }

    /// moto, unless the AWS is real.
    pub(crate) fn moto(&self) -> Option<&Moto> {
        self.moto.as_ref()
    }

    /// The endpoint for the operator and the client instead of AWS.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.moto.as_ref().map(Moto::url)
    }

    /// The bucket that the client lists.
    pub(crate) fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// The pair to begin with.
    pub(crate) fn first(&self) -> Result<&KeyPair> {
        self.pairs.first().context("there is no key pair")
    }

    /// The pair to change to: created at moto, or the second one from the user, if there is one.
    pub(crate) async fn second(&mut self) -> Result<Option<KeyPair>> {
        if let Some(moto) = &self.moto {
            let made = moto.create_access_key(USER).await?;
            self.pairs.push(made);
        }
        Ok(self.pairs.get(1).cloned())
    }

    /// Deactivates the first key, which works at moto only.
    pub(crate) async fn deactivate_first(&self) -> Result<()> {
        let moto = self.moto.as_ref().context("no key of yours is touched")?;
        moto.set_key_active(USER, &self.first()?.id, false).await
    }

    /// The number of calls to STS so far, which only moto records.
    pub(crate) async fn sts_calls(&self) -> Result<Option<usize>> {
        let Some(moto) = &self.moto else {
            return Ok(None);
        };
        let log = moto.log().await?;
        let asked = log.iter().filter(|entry| entry.service == "sts");
        Ok(Some(asked.count()))
    }
}
