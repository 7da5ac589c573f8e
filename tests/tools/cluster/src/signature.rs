//! AWS Signature Version 4, the verifying side.

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::http::request::Parts;
use k8s_openapi::jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest as _, Sha256};

/// The format of `x-amz-date`.
pub(crate) const TIME: &str = "%Y%m%dT%H%M%SZ";

/// The content of the `Authorization` header.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) key_id: String,
    pub(crate) region: String,
    scope: String,
    signed_headers: String,
    signature: String,
}

impl Claim {
    /// Reads the header; `None` if it is missing or lacks a part.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        let value = parts.headers.get("authorization")?.to_str().ok()?;
        let value = value.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            let mut fields = value.split(',').map(str::trim);
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let (key_id, scope) = field("Credential")?.split_once('/')?;
        let mut scope_parts = scope.split('/');
        let (_date, region) = (scope_parts.next()?, scope_parts.next()?);
        Some(Self {
            key_id: key_id.to_owned(),
            region: region.to_owned(),
            scope: scope.to_owned(),
            signed_headers: field("SignedHeaders")?.to_owned(),
            signature: field("Signature")?.to_owned(),
        })
    }

    /// Whether the request was signed with `secret` for `service`. `payload` is the hash in the canonical request.
    pub(crate) fn is_signed_with(
        &self,
        secret: &str,
        service: &str,
        parts: &Parts,
        payload: &str,
    ) -> bool {
        let Some(date) = header(parts, "x-amz-date") else {
            return false;
        };
        let covers = |name| self.signed_headers.split(';').any(|signed| signed == name);
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{service}/aws4_request", self.region);
        if !covers("host") || !covers("x-amz-date") || self.scope != scope {
            return false;
        }
        let request = sha256(self.canonical(parts, payload).as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            key = mac(&key, part);
        }
        hex(&mac(&key, &text)) == self.signature
    }

    fn canonical(&self, parts: &Parts, payload: &str) -> String {
        let mut query: Vec<&str> = parts.uri.query().unwrap_or_default().split('&').collect();
        query.sort_unstable();
        let mut headers = String::new();
        for name in self.signed_headers.split(';') {
            let value = header(parts, name).unwrap_or_default();
            headers.extend([name, ":", &value, "\n"]);
        }
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{payload}",
            parts.method,
            parts.uri.path(),
            query.join("&"),
            self.signed_headers,
        )
    }
}

/// When the request was signed, by its own account.
pub(crate) fn signed_at(parts: &Parts) -> Option<Timestamp> {
    let date = header(parts, "x-amz-date")?;
    let time = DateTime::strptime(TIME, &date).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// All values of a header, with collapsed white space as the signature requires.
pub(crate) fn header(parts: &Parts, name: &str) -> Option<String> {
    let values: Vec<String> = parts
        .headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The hash in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length, so this never fails.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mac| mac.chain_update(text).finalize().into_bytes().to_vec(),
    )
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}
