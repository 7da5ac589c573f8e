//! The outcome of checking a pair.

use crate::api::{Identity, Reason};

/// Why a pair was refused or could not be judged: the reason, and one sentence that says what to do.
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

/// What STS answered, in our own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The pair is that of this identity.
    Identity(Identity),
    /// `InvalidClientTokenId`, or its name in another store: the access key ID is not known, or not yet,
    /// or not here.
    UnknownKey,
    /// The access key ID is known and the secret access key is wrong.
    SignatureMismatch,
    /// The credentials have expired.
    Expired,
    /// Nothing can be said about the pair. The reason tells why.
    Undetermined(Reason),
}

impl Answer {
    /// Whether the pair is refused.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey | Self::SignatureMismatch | Self::Expired
        )
    }
}

/// Our own words for what STS answers: its own text may echo the signed request.
pub mod words {
    use std::time::Duration;

    use super::{Answer, Finding};
    use crate::api::Reason;

    /// A refusal, naming the region that was asked and what else may be behind it.
    #[must_use]
    pub fn refused(answer: &Answer, region: &str) -> Finding {
        match answer {
            Answer::SignatureMismatch => Finding::new(
                Reason::SignatureMismatch,
                format!(
                    "AWS STS in {region} knows the access key ID, and the secret access key is not its own; copy both halves of one pair again"
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

    /// A first refusal of a published pair.
    #[must_use]
    pub fn unconfirmed(refusal: &Finding, after: Duration) -> Finding {
        let message = format!(
            "{}; AWS is asked once more after {} s before this counts",
            refusal.message,
            after.as_secs()
        );
        Finding::new(Reason::RejectionUnconfirmed, message)
    }

    /// A wrong signature for a pair that was proven.
    #[must_use]
    pub fn altered(region: &str) -> Finding {
        Finding::new(
            Reason::StsRequestAltered,
            format!(
                "AWS STS in {region} calls the signature wrong, though this very pair was proven before and IAM never changes the secret of an access key: something between the operator and STS changes requests; look for a proxy or gateway that rewrites the Host header, other headers or the body; AWS is asked again"
            ),
        )
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

    /// An expiry, by the word of AWS, whose access keys do not expire.
    #[must_use]
    pub fn never_expires(region: &str) -> Finding {
        Finding::new(
            Reason::StsUnexpectedResponse,
            format!(
                "AWS STS in {region} says that the credentials have expired, which access keys of AWS never do; check what stands between the operator and STS; it is asked again"
            ),
        )
    }

    /// Refusals of several accounts at once.
    #[must_use]
    pub fn mass_rejection() -> Finding {
        Finding::new(
            Reason::MassRejection,
            "published pairs of several accounts are refused at once, which points to STS or the network, not to the keys; AWS is asked again",
        )
    }

    /// A refusal that the partition's default region does not share.
    #[must_use]
    pub fn region_differs(default_region: &str) -> Finding {
        Finding::new(
            Reason::RegionDisabled,
            format!(
                "AWS STS refuses the pair in spec.region and does not in {default_region}; enable the region for the account or choose another"
            ),
        )
    }

    /// An answer that says nothing about the pair.
    #[must_use]
    pub fn undetermined(reason: Reason, region: &str) -> Finding {
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
            Reason::StsUnreachable => {
                "cannot be reached; check DNS, egress and TLS between the operator and STS; it is asked again"
            }
            _ => {
                "gave an answer that is not one of STS; check what stands between the operator and STS; it is asked again"
            }
        };
        Finding::new(reason, format!("AWS STS in {region} {what}"))
    }
}
