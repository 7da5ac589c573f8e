//! How STS is reached: the address, the proxy, and the trusted certificate authorities.

use std::borrow::Cow;

use super::{CallerIdentityRequest, Endpoint, Proxy, TrustedCa};
use crate::domain::region::{Region, Variant};

/// How STS is reached. Default: each region's own endpoint, no proxy, the system's root certificates.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// An address that replaces the endpoints of all regions.
    pub endpoint: Option<Endpoint>,
    /// Other endpoints of AWS: FIPS or dual-stack.
    pub variant: Option<Variant>,
    /// The only certificate authorities that are trusted.
    pub ca: Option<TrustedCa>,
    /// The proxy for HTTPS requests. Plain HTTP, which is for loopback only, goes directly.
    pub proxy: Option<Proxy>,
}

impl Route {
    /// The address that a request is sent to.
    pub(super) fn address<'a>(&'a self, request: &'a CallerIdentityRequest) -> Cow<'a, str> {
        if let Some(endpoint) = &self.endpoint {
            return endpoint.of(&request.region);
        }
        let variant = self.variant.zip(Region::parse(&request.region).ok());
        match variant {
            Some((variant, region)) => Cow::Owned(region.sts_endpoint_of(variant)),
            None => Cow::Borrowed(&request.endpoint),
        }
    }
}
