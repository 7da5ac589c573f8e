//! The record of a request.

use std::time::Instant;

use hyper::http::request::Parts;

use crate::signature::Claim;

/// What stands in a record for a value that a log must not have.
const REDACTED: &str = "...";

/// A request that the stand-in has answered.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// The access key ID that the request claims, if the request is signed.
    pub key_id: Option<String>,
    /// The region that the request was signed for.
    pub region: Option<String>,
    /// All headers with names in lower case. The signature and a session token are left out.
    pub headers: Vec<(String, String)>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// When the request had been read.
    pub at: Instant,
}

impl Call {
    pub(super) fn new(parts: &Parts, claim: Option<&Claim>, status: u16) -> Self {
        let path = parts.uri.path_and_query();
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), redacted(name.as_str(), &value))
        });
        Self {
            method: parts.method.to_string(),
            path: path.map_or_else(|| "/".to_owned(), ToString::to_string),
            key_id: claim.map(|claim| claim.key_id.clone()),
            region: claim.map(|claim| claim.region.clone()),
            headers: headers.collect(),
            status,
            at: Instant::now(),
        }
    }

    pub(super) fn is_of(&self, key_id: &str) -> bool {
        self.key_id.as_deref() == Some(key_id)
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Of an authorization only the parts of a signed request are kept: anything else may be a secret.
fn redacted(name: &str, value: &str) -> String {
    match name {
        "authorization" if value.starts_with("AWS4-HMAC-SHA256 ") => {
            let (kept, _) = value.split_once("Signature=").unwrap_or_default();
            format!("{kept}Signature={REDACTED}")
        }
        "authorization" | "x-amz-security-token" => REDACTED.to_owned(),
        _ => value.to_owned(),
    }
}
