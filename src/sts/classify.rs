//! Maps the outcome of a call to an [`Answer`] about the pair. Pure. The error texts of STS do not leave
//! this module, since they can repeat the signed request.

use crate::{
    api::{Identity, Reason},
    domain::verdict::Answer,
};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// A success that the SDK parsed.
    Accepted {
        /// The account in the reply.
        account: Option<&'a str>,
        /// The ARN in the reply.
        arn: Option<&'a str>,
    },
    /// Any other HTTP reply: an error, or a success that did not parse.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error code in the body, if the body is an error of AWS.
        code: Option<&'a str>,
        /// The error message in the body.
        message: Option<&'a str>,
    },
    /// The connection failed, broke or timed out: DNS, TCP, TLS, deadline.
    Unreachable,
    /// A reply that is too large, ambiguous, or not HTTP.
    Unreadable,
}

/// Error codes for an access key ID that is unknown or inactive: of AWS STS; of the S3 interface, which Ceph
/// and most S3-compatible stores answer; of Ceph for the keys of a suspended user. `AuthFailure`,
/// `AccessDenied` and `UnrecognizedClientException` are not among them: gateways and endpoint policies
/// between the operator and STS use these too.
const UNKNOWN_KEY: [&str; 3] = [
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UserSuspended",
];

/// Throttling codes of AWS. They come with any error status, 400 included.
pub(crate) const THROTTLING: [&str; 10] = [
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

/// The answer that an outcome stands for.
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

/// Whether the text is the ARN of an identity in that account. The ARN goes to status, events and logs,
/// so nothing but visible ASCII passes.
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

/// An error reply with a code. Codes that are not listed here leave the pair undetermined.
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

/// STS uses `SignatureDoesNotMatch` for 3 causes, which only the message distinguishes.
fn mismatch(message: &str) -> Answer {
    let message = message.to_ascii_lowercase();
    if message.contains("signature expired") || message.contains("not yet current") {
        return Answer::Undetermined(Reason::ClockSkew);
    }
    // The endpoint serves another region than the one that was signed for, as with an `--sts-endpoint`
    // for a single region. STS has not checked the secret access key.
    if message.contains("credential should be scoped") {
        return Answer::Undetermined(Reason::StsRegionMismatch);
    }
    Answer::SignatureMismatch
}

/// IAM policies cannot deny `GetCallerIdentity`, so a 403 without a known code comes from an endpoint
/// policy, a proxy or a firewall.
fn on_the_way(status: u16) -> Reason {
    match status {
        401 | 403 | 407 => Reason::StsAccessDenied,
        _ => Reason::StsUnexpectedResponse,
    }
}
