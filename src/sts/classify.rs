//! What an outcome of a call says about the pair. Pure; the text that STS sends ends here, since it
//! can repeat the signed request.

use crate::{
    api::{Identity, Reason},
    verdict::Answer,
};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// A success that parsed.
    Accepted {
        /// The account that it names.
        account: Option<&'a str>,
        /// The ARN that it names.
        arn: Option<&'a str>,
    },
    /// A reply that is no such success.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error code in the body, if the body is an error of AWS.
        code: Option<&'a str>,
        /// The error message in the body.
        message: Option<&'a str>,
    },
    /// No connection, or none in time, or it broke: DNS, TCP, TLS, deadline.
    Unreachable,
    /// A reply that is not to be read: too large, ambiguous, or no HTTP at all.
    Unreadable,
}

/// Names for an access key ID that is unknown or switched off: that of AWS STS; that of the S3 interface,
/// which Ceph and most S3-compatible stores answer; that of Ceph for the keys of a suspended user.
/// `AuthFailure`, `AccessDenied` and `UnrecognizedClientException` are not among them: gateways and endpoint
/// policies on the way use these too.
const UNKNOWN_KEY: [&str; 3] = [
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UserSuspended",
];

/// Codes by which AWS asks to slow down. They come with any status, 400 too.
const THROTTLING: [&str; 10] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "LimitExceededException",
    "BandwidthLimitExceeded",
    "SlowDown",
];

/// The answer that an outcome amounts to.
#[must_use]
pub fn classify(outcome: Outcome<'_>) -> Answer {
    match outcome {
        Outcome::Accepted { account, arn } => accepted(account, arn),
        Outcome::Refused {
            status,
            code,
            message,
        } => refused(status, code, message.unwrap_or_default()),
        Outcome::Unreachable => Answer::Outage(Reason::StsUnreachable),
        Outcome::Unreadable => Answer::Outage(Reason::StsUnexpectedResponse),
    }
}

fn accepted(account: Option<&str>, arn: Option<&str>) -> Answer {
    match (account, arn) {
        (Some(account), Some(arn)) if names(arn, account) => Answer::Identity(Identity {
            account_id: account.to_owned(),
            arn: arn.to_owned(),
        }),
        _ => Answer::Outage(Reason::StsUnexpectedResponse),
    }
}

/// Whether the text is the ARN of somebody in that account. It goes to status, events and logs, so
/// nothing but visible ASCII passes.
fn names(arn: &str, account: &str) -> bool {
    let mut fields = arn.splitn(6, ':');
    let mut field = || fields.next().unwrap_or_default();
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && arn.len() <= 2048
        && arn.bytes().all(|byte| byte.is_ascii_graphic())
        && field() == "arn"
        && field().starts_with("aws")
        && matches!(field(), "iam" | "sts")
        && field().is_empty()
        && field() == account
        && !field().is_empty()
}

fn refused(status: u16, code: Option<&str>, message: &str) -> Answer {
    match (status, code) {
        (400.., Some(code)) if THROTTLING.contains(&code) => {
            Answer::Undetermined(Reason::StsThrottled)
        }
        (408 | 500.., _) => Answer::Outage(Reason::StsUnavailable),
        (429, _) => Answer::Undetermined(Reason::StsThrottled),
        (400..500, Some(code)) => coded(status, code, message),
        _ => Answer::Outage(on_the_way(status)),
    }
}

/// A refusal of AWS. Codes that are not known here say nothing about the pair.
fn coded(status: u16, code: &str, message: &str) -> Answer {
    match code {
        code if UNKNOWN_KEY.contains(&code) => Answer::UnknownKey,
        "SignatureDoesNotMatch" => mismatch(message),
        "ExpiredToken" | "ExpiredTokenException" => Answer::Expired,
        "RequestExpired" | "RequestTimeTooSkewed" => Answer::Undetermined(Reason::ClockSkew),
        "RegionDisabled" | "RegionDisabledException" => {
            Answer::Undetermined(Reason::RegionDisabled)
        }
        "OptInRequired" => Answer::Undetermined(Reason::OptInRequired),
        "RequestTimeout"
        | "RequestTimeoutException"
        | "InternalFailure"
        | "InternalError"
        | "ServiceUnavailable" => Answer::Outage(Reason::StsUnavailable),
        _ => Answer::Undetermined(on_the_way(status)),
    }
}

/// STS uses one code for three things, and only its text tells them apart.
fn mismatch(message: &str) -> Answer {
    let message = message.to_ascii_lowercase();
    if message.contains("signature expired") || message.contains("not yet current") {
        return Answer::Undetermined(Reason::ClockSkew);
    }
    // The endpoint serves another region than the one that was signed for, which an `--sts-endpoint`
    // for a single region brings about. The secret was not looked at.
    if message.contains("credential should be scoped") {
        return Answer::Undetermined(Reason::StsRegionMismatch);
    }
    Answer::SignatureMismatch
}

/// `GetCallerIdentity` cannot be denied, so a 403 without a known code comes from something in
/// between: an endpoint policy, a proxy, a firewall.
fn on_the_way(status: u16) -> Reason {
    match status {
        401 | 403 | 407 => Reason::StsAccessDenied,
        _ => Reason::StsUnexpectedResponse,
    }
}
