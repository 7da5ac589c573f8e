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
    /// `InvalidClientTokenId`: AWS does not know the access key ID, or not yet, or not here.
    UnknownKey,
    /// The access key ID is known and the secret access key is wrong.
    SignatureMismatch,
    /// The credentials have expired.
    Expired,
    /// Nothing can be said about the pair. The reason tells why.
    Undetermined(Reason),
}
