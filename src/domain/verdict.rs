//! The outcome of checking a pair.

use crate::api::{Identity, Reason};

/// Why a pair was rejected or could not be judged: the reason, and one sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The reason, as conditions and events carry it.
    pub reason: Reason,
    /// What was found and what to do about it; never a value.
    pub message: String,
}

impl Finding {
    /// A finding with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

/// The answer of STS, in the operator's own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The pair is that of this identity.
    Identity(Identity),
    /// `InvalidClientTokenId`, or its counterpart in another store: the access key ID is not known, not known yet, or
    /// not known in this place.
    UnknownKey,
    /// The access key ID is known and the secret access key is wrong.
    SignatureMismatch,
    /// The credentials have expired.
    Expired,
    /// Nothing can be said about the pair, for this reason.
    Undetermined(Reason),
    /// The endpoint gave no answer of AWS: it cannot be reached, it fails, or another server on the way answered in
    /// its place. That concerns all pairs alike.
    Outage(Reason),
}

/// The result of a control request: does the endpoint that rejects a published pair accept another pair that it
/// accepted before? A rejection by an endpoint that rejects all pairs says nothing about one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Control {
    /// Another pair is accepted.
    Accepted,
    /// The other pairs are rejected too.
    Refused,
    /// No answer says anything about another pair.
    Undetermined,
    /// There is no other pair for a control request.
    NoPair,
}

impl Answer {
    /// Whether the pair is rejected.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey | Self::SignatureMismatch | Self::Expired
        )
    }

    /// Why nothing can be said about the pair.
    #[must_use]
    pub fn undetermined(&self) -> Option<Reason> {
        match self {
            Self::Undetermined(reason) | Self::Outage(reason) => Some(*reason),
            Self::Identity(_) | Self::UnknownKey | Self::SignatureMismatch | Self::Expired => None,
        }
    }
}

/// Messages for the answers of STS, whose own text may echo the signed request.
pub mod words {
    use std::time::Duration;

    use super::{Answer, Control, Finding};
    use crate::api::Reason;

    /// A rejection, with the region that was asked and other possible causes.
    #[must_use]
    pub fn refused(answer: &Answer, region: &str) -> Finding {
        match answer {
            Answer::SignatureMismatch => Finding::new(
                Reason::SignatureMismatch,
                format!(
                    "AWS STS in {region} knows the access key ID, but the secret access key does not belong to it; copy both halves of one pair again"
                ),
            ),
            Answer::Expired => Finding::new(
                Reason::CredentialsExpired,
                format!(
                    "AWS STS in {region} says that the credentials have expired; create a new access key for the IAM user"
                ),
            ),
            _ => Finding::new(
                Reason::AccessKeyUnknown,
                format!(
                    "AWS STS in {region} does not know the access key ID: the key was deactivated or deleted, belongs to another partition, or the account has not enabled this region; check the key in IAM and spec.region"
                ),
            ),
        }
    }

    /// A new pair that AWS does not know yet.
    #[must_use]
    pub fn settling(region: &str) -> Finding {
        Finding::new(
            Reason::Settling,
            format!(
                "AWS STS in {region} does not know the access key ID yet; a new key takes some seconds, and AWS is asked again for a minute"
            ),
        )
    }

    /// A new pair that comes after others that AWS rejected.
    #[must_use]
    pub fn refused_before(region: &str) -> Finding {
        Finding::new(
            Reason::Settling,
            format!(
                "AWS STS in {region} rejected the last pairs of this source, one after another; this pair is checked after a pause of up to 5 minutes; find out who changes the source repeatedly"
            ),
        )
    }

    /// A first rejection of a published pair.
    #[must_use]
    pub fn unconfirmed(refusal: &Finding, after: Duration) -> Finding {
        let message = format!(
            "{}; AWS is asked again after {} s, before this rejection counts",
            refusal.message,
            after.as_secs()
        );
        Finding::new(Reason::RejectionUnconfirmed, message)
    }

    /// A wrong signature for a pair that was proven before.
    #[must_use]
    pub fn altered(region: &str) -> Finding {
        Finding::new(
            Reason::StsRequestAltered,
            format!(
                "AWS STS in {region} reports a wrong signature, though this pair was proven before and IAM never changes the secret of an access key: something between the operator and STS changes requests; look for a proxy or gateway that rewrites the Host header, other headers or the body; AWS is asked again"
            ),
        )
    }

    /// A rejection while no other pair is accepted either.
    #[must_use]
    pub fn mass_rejection(control: Control, region: &str) -> Finding {
        let others = if control == Control::Refused {
            "refuses other published pairs too, which it accepted before"
        } else {
            "gives no answer about other published pairs"
        };
        Finding::new(
            Reason::MassRejection,
            format!(
                "AWS STS in {region} refuses the pair and {others}; that points to STS or the network, not to the key, so the refusal does not count; AWS is asked again"
            ),
        )
    }

    /// A rejection that counts, and keeps the target.
    #[must_use]
    pub fn uncontrolled(refusal: &Finding) -> Finding {
        let message = format!(
            "{}; spec.validation.onRejected is Withdraw, but the target is kept: no other account or namespace has a published pair that could show whether this endpoint rejects every pair",
            refusal.message
        );
        Finding::new(refusal.reason, message)
    }

    /// An identity of another account than the one that the access key ID encodes.
    #[must_use]
    pub fn other_account(named: &str, encoded: &str, region: &str) -> Finding {
        Finding::new(
            Reason::StsUnexpectedResponse,
            format!(
                "AWS STS in {region} names account {named}, and the access key ID is one of account {encoded}; check what stands between the operator and STS; it is asked again"
            ),
        )
    }

    /// An expiry reported by AWS, whose access keys do not expire.
    #[must_use]
    pub fn never_expires(region: &str) -> Finding {
        Finding::new(
            Reason::StsUnexpectedResponse,
            format!(
                "AWS STS in {region} says that the credentials have expired, which access keys of AWS never do; check what stands between the operator and STS; it is asked again"
            ),
        )
    }

    /// A rejection that the partition's default region does not share.
    #[must_use]
    pub fn region_differs(default_region: &str) -> Finding {
        Finding::new(
            Reason::RegionDisabled,
            format!(
                "AWS STS rejects the pair in spec.region, but not in {default_region}; enable the region for the account or choose another"
            ),
        )
    }

    /// The partition's default region gives no verdict on a pair that spec.region rejects.
    #[must_use]
    pub fn not_asked(reason: Reason, default_region: &str, proxied: bool) -> Finding {
        let said = undetermined(reason, default_region, proxied).message;
        Finding::new(
            reason,
            format!(
                "AWS STS refuses the pair in spec.region; the target is deleted only if {default_region} refuses it too, and {said}"
            ),
        )
    }

    /// An answer that says nothing about the pair.
    #[must_use]
    pub fn undetermined(reason: Reason, region: &str, proxied: bool) -> Finding {
        let what = match reason {
            Reason::RegionDisabled => {
                "is switched off for the account; activate STS there in the account settings or choose another spec.region"
            }
            Reason::OptInRequired => {
                "needs a subscription of the account; enable the region or choose another spec.region"
            }
            Reason::ClockSkew => {
                "says that the request's time is wrong; set the clock of the operator's node"
            }
            Reason::StsAccessDenied => {
                "was refused on the way, by an endpoint policy or a proxy; let sts:GetCallerIdentity through"
            }
            Reason::StsThrottled => "asks to slow down; it is asked again",
            Reason::StsUnavailable => "fails; it is asked again",
            Reason::StsUnreachable if proxied => {
                "cannot be reached through the proxy of --sts-proxy; check the proxy's address, its user and password, and that it lets CONNECT to STS through; it is asked again"
            }
            Reason::StsUnreachable => {
                "cannot be reached; check DNS, egress and TLS between the operator and STS; no proxy is used, since --sts-proxy names none or the endpoint is a loopback address; it is asked again"
            }
            Reason::StsRegionMismatch => {
                "was not asked: the endpoint that --sts-endpoint names serves another region; write {region} in its host, or choose the region of the endpoint as spec.region; it is asked again"
            }
            _ => {
                "gave an answer that is not one of STS; check what stands between the operator and STS; it is asked again"
            }
        };
        Finding::new(reason, format!("AWS STS in {region} {what}"))
    }
}
