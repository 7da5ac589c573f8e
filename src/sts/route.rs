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
    /// The proxy, which is not used for a loopback endpoint.
    pub proxy: Option<Proxy>,
}

impl Route {
    /// The proxy that requests go through. A proxy would look for a loopback endpoint on its own host.
    pub(super) fn used_proxy(&self) -> Option<&Proxy> {
        let endpoint = self.endpoint.as_ref();
        let is_loopback = endpoint.is_some_and(Endpoint::is_loopback);
        self.proxy.as_ref().filter(|_| !is_loopback)
    }

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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::sts::{parse_endpoint, parse_proxy};

    fn is_proxied(endpoint: Option<&str>) -> bool {
        let proxy = Proxy {
            url: parse_proxy("http://proxy.example.com:3128").unwrap(),
            login: None,
        };
        let route = Route {
            endpoint: endpoint.map(|url| parse_endpoint(url).unwrap()),
            proxy: Some(proxy),
            ..Route::default()
        };
        route.used_proxy().is_some()
    }

    #[test]
    fn a_loopback_endpoint_is_asked_through_no_proxy() {
        for endpoint in [
            "http://127.0.0.1:4566",
            "https://127.0.0.1:4566",
            "https://127.9.9.9",
            "https://[::1]:4566",
            "http://localhost",
            "https://localhost:4566",
        ] {
            assert!(!is_proxied(Some(endpoint)), "{endpoint}");
        }
    }

    #[test]
    fn every_other_endpoint_is_asked_through_the_proxy() {
        assert!(is_proxied(None));
        for endpoint in [
            "https://sts.example.com",
            "https://sts.{region}.example.com:9443",
            "https://localhost.example.com",
            "https://10.0.0.1",
            "https://[2001:db8::1]",
        ] {
            assert!(is_proxied(Some(endpoint)), "{endpoint}");
        }
    }
}
