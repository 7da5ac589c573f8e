//! How STS is reached: at which address, by which proxy, and under which authorities.

use std::borrow::Cow;

use super::{CallerIdentityRequest, Endpoint, Proxy, TrustedCa};
use crate::region::{Region, Variant};

/// How STS is reached. By default at each region's own endpoint, directly, under public authorities.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// An address in the place of every region's.
    pub endpoint: Option<Endpoint>,
    /// Other endpoints of AWS itself.
    pub variant: Option<Variant>,
    /// The authorities that are trusted, and no others.
    pub ca: Option<TrustedCa>,
    /// The proxy for all that is asked by HTTPS. What is on this host is asked directly.
    pub proxy: Option<Proxy>,
}

impl Route {
    /// The address that a question goes to.
    pub(super) fn address<'a>(&'a self, question: &'a CallerIdentityRequest) -> Cow<'a, str> {
        if let Some(endpoint) = &self.endpoint {
            return endpoint.of(&question.region);
        }
        let variant = self.variant.zip(Region::parse(&question.region).ok());
        match variant {
            Some((variant, region)) => Cow::Owned(region.sts_endpoint_of(variant)),
            None => Cow::Borrowed(&question.endpoint),
        }
    }
}
