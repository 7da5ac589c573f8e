//! The checks of STS: the clock, then the signature.

use hyper::http::request::Parts;
use k8s_openapi::jiff::Timestamp;

use crate::signature::{Claim, TIME, sha256, signed_at};

/// The difference of clocks that STS allows.
const SKEW_SECONDS: i64 = 5 * 60;

/// Why a signature is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Made with another secret, or over another request.
    Wrong,
    /// The clocks differ too much; with STS's message.
    Skew(String),
}

pub(super) fn check(
    claim: &Claim,
    parts: &Parts,
    body: &[u8],
    secret: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    check_clock(signed_at(parts).ok_or(Refusal::Wrong)?, now)?;
    if claim.is_signed_with(secret, "sts", parts, &sha256(body)) {
        Ok(())
    } else {
        Err(Refusal::Wrong)
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
