//! The endpoint that `--sts-endpoint` names.

use std::{borrow::Cow, fmt, net::IpAddr};

use axum::http::{Uri, uri::Authority};

/// The placeholder in an endpoint for the region of the request.
const REGION_PLACEHOLDER: &str = "{region}";

/// An address that signed requests may be sent to: HTTPS, or HTTP on loopback. With the placeholder
/// `{region}`, it stands for one address per region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    is_loopback: bool,
}

impl Endpoint {
    /// The address for a region, without a trailing slash.
    #[must_use]
    pub fn of(&self, region: &str) -> Cow<'_, str> {
        if self.url.contains(REGION_PLACEHOLDER) {
            Cow::Owned(with_region(&self.url, region))
        } else {
            Cow::Borrowed(&self.url)
        }
    }

    /// Whether the host is `localhost` or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

/// Parses an endpoint. A person who intercepts a signed request can log in elsewhere as the pair's user
/// for some minutes, hence nothing but TLS, loopback excepted.
///
/// # Errors
/// One sentence on what the endpoint must be. The sentence does not repeat `text`, which may hold a password.
pub fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    // Any region that replaces the placeholder holds only characters of host names.
    let uri: Uri = with_region(text, "region")
        .parse()
        .map_err(|_| "it must be a URL such as https://sts.example.com".to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("it must begin with https:// and name a host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("it must not hold a user name or password".to_owned());
    }
    if authority.host().is_empty() {
        return Err("it must name a host".to_owned());
    }
    if !has_valid_port(authority) {
        return Err("its port must be a number up to 65535".to_owned());
    }
    // The parser of `Uri` drops a fragment silently.
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
        return Err("it must end after the host and port: no path, query or fragment".to_owned());
    }
    let is_loopback = is_loopback(authority.host());
    match scheme {
        "https" => {}
        "http" if is_loopback => {}
        "http" => return Err("it must be https; http is for loopback addresses only".to_owned()),
        _ => return Err("it must begin with https://".to_owned()),
    }
    let host = text.split_once("://").map_or("", |(_, rest)| rest);
    Ok(Endpoint {
        url: format!("{scheme}://{}", host.trim_end_matches('/')),
        is_loopback,
    })
}

fn with_region(pattern: &str, region: &str) -> String {
    let parts: Vec<&str> = pattern.split(REGION_PLACEHOLDER).collect();
    parts.join(region)
}

/// Whether at most a valid port follows the host. The parser accepts any text as a port, and a number with a sign.
#[must_use]
pub fn has_valid_port(authority: &Authority) -> bool {
    let after_host = authority.as_str().strip_prefix(authority.host());
    after_host.is_some_and(|rest| {
        let digits = rest.strip_prefix(':').unwrap_or_default();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        rest.is_empty() || is_number && authority.port_u16().is_some()
    })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
