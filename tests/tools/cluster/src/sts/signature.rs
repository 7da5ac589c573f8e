//! AWS Signature Version 4, the verifying side.

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::http::request::Parts;
use k8s_openapi::jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest as _, Sha256};

/// The difference of clocks that STS allows.
const SKEW_SECONDS: i64 = 5 * 60;
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// The content of the `Authorization` header.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) key_id: String,
    pub(super) region: String,
    scope: String,
    signed_headers: String,
    signature: String,
}

/// Why a signature is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Made with another secret, or over another request.
    Wrong,
    /// The clocks differ too much; with STS's message.
    Skew(String),
}

impl Claim {
    /// Reads the header; `None` if it is missing or lacks a part.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
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

    /// Checks the clock, then the signature.
    pub(super) fn check(
        &self,
        parts: &Parts,
        body: &[u8],
        secret: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let date = header(parts, "x-amz-date").ok_or(Refusal::Wrong)?;
        let signed = DateTime::strptime(TIME, &date)
            .and_then(|time| time.to_zoned(TimeZone::UTC))
            .map_err(|_| Refusal::Wrong)?
            .timestamp();
        check_clock(signed, now)?;
        let covers = |name| self.signed_headers.split(';').any(|signed| signed == name);
        let day = date.get(..8).unwrap_or_default();
        if !covers("host") || !covers("x-amz-date") || self.scope != self.expected_scope(day) {
            return Err(Refusal::Wrong);
        }
        let request = hex(&Sha256::digest(self.canonical(parts, body)));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{request}", self.scope);
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in self.scope.split('/') {
            key = mac(&key, part);
        }
        if hex(&mac(&key, &text)) == self.signature {
            Ok(())
        } else {
            Err(Refusal::Wrong)
        }
    }

    fn expected_scope(&self, day: &str) -> String {
        format!("{day}/{}/sts/aws4_request", self.region)
    }

    fn canonical(&self, parts: &Parts, body: &[u8]) -> String {
        let mut query: Vec<&str> = parts.uri.query().unwrap_or_default().split('&').collect();
        query.sort_unstable();
        let mut headers = String::new();
        for name in self.signed_headers.split(';') {
            let value = header(parts, name).unwrap_or_default();
            headers.extend([name, ":", &value, "\n"]);
        }
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            parts.method,
            parts.uri.path(),
            query.join("&"),
            self.signed_headers,
            hex(&Sha256::digest(body)),
        )
    }
}

fn check_clock(signed: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let ahead = signed.as_second() - now.as_second();
    let (signed, now) = (signed.strftime(TIME), now.strftime(TIME));
    if ahead < -SKEW_SECONDS {
        let text = format!("Signature expired: {signed} is now earlier than {now} - 5 min.");
        return Err(Refusal::Skew(text));
    }
    if ahead > SKEW_SECONDS {
        let text =
            format!("Signature not yet current: {signed} is still later than {now} + 5 min.");
        return Err(Refusal::Skew(text));
    }
    Ok(())
}

/// All values of a header, with collapsed white space as the signature requires.
fn header(parts: &Parts, name: &str) -> Option<String> {
    let values: Vec<String> = parts
        .headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
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
