//! The destination of signed requests: the host of a region, and the endpoint that a flag sets.

use std::sync::LazyLock;

use regex::Regex;
use static_aws_credentials::{domain::region::Region, sts::parse_endpoint};
use url::{Host, ParseError, Url};

use super::is_one_of_few;

static SCHEMA: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^https://sts\.[a-z0-9-]+\.(amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

pub fn region(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let taken = Region::parse(text);
    let by_schema = text.len() <= 32 && SCHEMA.is_match(text);
    assert_eq!(taken.is_ok(), by_schema, "{text:?}");
    let Ok(region) = taken else {
        return;
    };
    assert_eq!(region.as_str(), text);
    let address = region.sts_endpoint();
    assert!(ADDRESS.is_match(&address), "{address}");
    // The URL parser of browsers, not that of the client.
    let url = Url::parse(&address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let host = address.trim_start_matches("https://");
    assert_eq!(url.host_str(), Some(host));
    assert_eq!((url.port(), url.path(), url.query()), (None, "/", None));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    // The same address is valid as the flag's value, and is not read as another.
    let endpoint = parse_endpoint(&address).unwrap_or_else(|error| panic!("{address}: {error}"));
    assert_eq!(endpoint.to_string(), address);
    let china = text.starts_with("cn-");
    assert_eq!(host.ends_with("amazonaws.com.cn"), china, "{address}");
}

pub fn endpoint(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let endpoint = match parse_endpoint(text) {
        Ok(endpoint) => endpoint,
        Err(problem) => return is_one_of_few("endpoint", problem),
    };
    let again = parse_endpoint(&endpoint.to_string());
    assert_eq!(again.as_ref(), Ok(&endpoint), "it is its own normal form");
    let url = match Url::parse(&endpoint.of("eu-west-1")) {
        Ok(url) => url,
        // A host that cannot be resolved leads nowhere.
        Err(error) => return assert_ne!(error, ParseError::InvalidPort, "{endpoint}"),
    };
    assert!(url.username().is_empty() && url.password().is_none());
    assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None));
    let host = url.host();
    let loopback = match &host {
        Some(Host::Domain(name)) => *name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    assert!(url.scheme() == "https" || loopback, "{endpoint}");
    // Both parsers find the same host, so that neither is led elsewhere.
    let of_text = Url::parse(&text.replace("{region}", "eu-west-1"))
        .unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(of_text.host(), host, "{text:?}");
}
