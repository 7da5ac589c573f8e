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
    /// The store of a class knows the pair. A store names no identity.
    Authenticated,
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
            Self::Identity(_)
            | Self::Authenticated
            | Self::UnknownKey
            | Self::SignatureMismatch
            | Self::Expired => None,
        }
    }
}

pub mod words;
