//! Maps the outcome of a request to an [`Outcome`], and outcomes to an [`Answer`] about the pair. Pure. The error texts
//! of a store do not leave this module, since they can repeat the signed request.

use crate::{
    api::Reason,
    domain::verdict::Answer,
    s3::xml::{self, Document},
    sts::THROTTLING,
};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange<'a> {
    /// An HTTP reply.
    Reply {
        /// The HTTP status.
        status: u16,
        /// The first part of the body.
        body: &'a [u8],
    },
    /// The connection failed, broke or timed out: DNS, TCP, TLS, deadline.
    Unreachable,
    /// A reply that is not HTTP.
    Unreadable,
    /// The pair cannot be written into a request, so no request was sent.
    Unsendable,
}

/// What a store answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The store lists buckets.
    Success,
    /// The store denies the request. Some stores answer so to a valid pair without rights, some to every wrong pair,
    /// some to both.
    AccessDenied,
    /// The access key ID is unknown or inactive.
    UnknownKey,
    /// The access key ID is known, and the secret access key is wrong.
    WrongSignature,
    /// The access key ID has not the form that the store requires.
    KeyForm,
    /// The clocks of store and operator differ.
    ClockSkew,
    /// The store serves another region.
    Region,
    /// The store throttles the requests.
    Throttled,
    /// The store fails to process the request.
    Unavailable,
    /// An answer in XML that says nothing about the pair.
    Unexpected,
    /// An answer that is not one of S3: a page, plain text, no HTTP.
    Foreign,
    /// The store cannot be reached.
    Unreachable,
}

/// Error codes for an access key ID that is unknown or inactive: of S3; of Ceph for the keys of a suspended user; of
/// stores that check keys by STS.
const UNKNOWN_KEY: [&str; 3] = [
    "InvalidAccessKeyId",
    "UserSuspended",
    "InvalidClientTokenId",
];

/// Error codes for a request that reached another region than it was signed for.
const REGION: [&str; 5] = [
    "AuthorizationHeaderMalformed",
    "InvalidRegion",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
];

/// Error codes for a failure of the store. `MinIO` has codes of its own while it starts.
const UNAVAILABLE: [&str; 6] = [
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
    "ServiceUnavailable",
    "XMinioIAMNotInitialized",
    "XMinioServerNotInitialized",
];

/// The outcome that an exchange stands for.
pub(super) fn classify(exchange: Exchange<'_>) -> Outcome {
    let (status, body) = match exchange {
        Exchange::Reply { status, body } => (status, body),
        Exchange::Unreachable => return Outcome::Unreachable,
        Exchange::Unreadable => return Outcome::Foreign,
        Exchange::Unsendable => return Outcome::Unexpected,
    };
    match (status, xml::read(body)) {
        (200, Document::Buckets) => Outcome::Success,
        (300.., Document::Error { code, message }) => coded(status, code, message),
        (300.., document) => uncoded(status, document),
        (_, Document::Foreign) => Outcome::Foreign,
        _ => Outcome::Unexpected,
    }
}

/// An error of S3. Only a status of a client error makes a code a judgement about the pair.
fn coded(status: u16, code: &str, message: &str) -> Outcome {
    match (status, code) {
        (400.., code) if THROTTLING.contains(&code) => Outcome::Throttled,
        (400.., code) if UNAVAILABLE.contains(&code) => Outcome::Unavailable,
        (301 | 307 | 308, _) => Outcome::Region,
        (401 | 403, code) if UNKNOWN_KEY.contains(&code) => Outcome::UnknownKey,
        // R2 answers so to an ID that no token has.
        (401, "Unauthorized") => Outcome::UnknownKey,
        (401 | 403, "SignatureDoesNotMatch") => mismatch(message),
        (403, "AccessDenied") => Outcome::AccessDenied,
        (400..500, code) if REGION.contains(&code) => Outcome::Region,
        (400..500, "RequestTimeTooSkewed" | "RequestExpired") => Outcome::ClockSkew,
        // Garage has no code of its own for a wrong clock.
        (400, "InvalidRequest") if has(message, "date is too old") => Outcome::ClockSkew,
        // R2 answers so to an ID of another length.
        (400, "InvalidArgument") => Outcome::KeyForm,
        _ => uncoded(status, Document::Other),
    }
}

/// Some stores use `SignatureDoesNotMatch` for 3 causes, as STS does, which only the message distinguishes.
fn mismatch(message: &str) -> Outcome {
    if has(message, "signature expired") || has(message, "not yet current") {
        Outcome::ClockSkew
    } else if has(message, "credential should be scoped") {
        Outcome::Region
    } else {
        Outcome::WrongSignature
    }
}

fn has(message: &str, words: &str) -> bool {
    message.to_ascii_lowercase().contains(words)
}

/// A reply whose code, if any, says nothing.
fn uncoded(status: u16, document: Document<'_>) -> Outcome {
    match (status, document) {
        (429, _) => Outcome::Throttled,
        (501, Document::Foreign) => Outcome::Foreign,
        (501, _) => Outcome::Unexpected,
        (408 | 500.., _) => Outcome::Unavailable,
        // A redirect without an error of S3 is one of a proxy or portal, as from http to https.
        (_, Document::Foreign) => Outcome::Foreign,
        _ => Outcome::Unexpected,
    }
}

impl Outcome {
    /// Whether the store refused the pair, so that the store does not accept every pair.
    pub(super) fn refuses(self) -> bool {
        matches!(
            self,
            Self::AccessDenied | Self::UnknownKey | Self::WrongSignature
        )
    }

    /// Whether the store gives this answer to wrong pairs only.
    pub(super) fn refuses_wrong_pairs_only(self) -> bool {
        matches!(self, Self::UnknownKey | Self::WrongSignature)
    }

    /// What the outcome says about the pair, without a follow-up.
    pub(super) fn answer(self) -> Answer {
        match self {
            Self::Success => Answer::Authenticated,
            Self::AccessDenied => Answer::Undetermined(Reason::EndpointInconclusive),
            Self::UnknownKey => Answer::UnknownKey,
            Self::WrongSignature => Answer::SignatureMismatch,
            Self::ClockSkew => Answer::Undetermined(Reason::ClockSkew),
            Self::Region => Answer::Undetermined(Reason::EndpointRegionMismatch),
            Self::Throttled => Answer::Undetermined(Reason::EndpointThrottled),
            Self::KeyForm | Self::Unexpected => {
                Answer::Undetermined(Reason::EndpointUnexpectedResponse)
            }
            Self::Unavailable => Answer::Outage(Reason::EndpointUnavailable),
            Self::Unreachable => Answer::Outage(Reason::EndpointUnreachable),
            Self::Foreign => Answer::Outage(Reason::EndpointUnexpectedResponse),
        }
    }
}

/// The answer about a pair whose request was denied, by the outcome of the follow-up: the same ID with a random secret.
/// The signature is checked before the rights. A store that denies the pair and has another refusal for a wrong secret
/// has found the signature of the pair right.
pub(super) fn weigh_denial(follow_up: Outcome) -> Answer {
    match follow_up {
        Outcome::UnknownKey | Outcome::WrongSignature => Answer::Authenticated,
        Outcome::Success => Answer::Undetermined(Reason::EndpointAcceptsAnything),
        other => other.answer(),
    }
}

#[cfg(test)]
mod tests;
