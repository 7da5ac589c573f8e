//! Where a pair is proven: AWS STS in a region, or the store of an `AwsCredentialsClass`.

use std::{fmt, sync::Arc, time::Duration};

use super::region::{Partition, Region};
use crate::api::{Identity, StaticAwsCredentialsStatus};

/// Where a pair is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// AWS STS in a region.
    Sts(Region),
    /// The store of a class.
    Store(Arc<Store>),
}

/// An S3-compatible store, as a generation of its class describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Name of the class.
    pub class: String,
    /// UID of the class.
    pub uid: String,
    /// Generation of the class.
    pub generation: i64,
    /// The URL of the S3 interface, without a path.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The only certificate authorities that are trusted, in PEM; `None` for those of the system.
    pub ca_bundle: Option<String>,
    /// Whether access key IDs may have another form than those of AWS.
    pub any_key_id: bool,
    /// How long the store may take until it knows a new pair.
    pub settling: Duration,
}

impl Place {
    /// The text that distinguishes answers. A class that has changed is another place.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Sts(region) => region.as_str().to_owned(),
            Self::Store(store) => store.key(),
        }
    }

    /// Whether a key is that of the same region or class, in whichever generation.
    #[must_use]
    pub fn is_generation_of(&self, key: &str) -> bool {
        match self {
            Self::Sts(region) => key == region.as_str(),
            Self::Store(store) => {
                let generation = key.strip_prefix(&store.uid);
                generation.is_some_and(|rest| rest.starts_with('@'))
            }
        }
    }

    /// Whether a status records a proof for the place: an identity of the partition, or none and the same class.
    #[must_use]
    pub fn is_recorded_in(&self, status: &StaticAwsCredentialsStatus) -> bool {
        match (self, &status.identity) {
            (Self::Sts(_), Some(identity)) => self.has_identity(identity),
            (Self::Store(store), None) => {
                let class = status.class.as_ref();
                class.is_some_and(|class| class.uid == store.uid)
            }
            _ => false,
        }
    }

    /// Whether an identity belongs to the partition. A store names none.
    #[must_use]
    pub fn has_identity(&self, identity: &Identity) -> bool {
        match self {
            Self::Sts(region) => Partition::of_arn(&identity.arn) == Some(region.partition()),
            Self::Store(_) => false,
        }
    }

    /// The store, unless pairs are proven by AWS.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<Store>> {
        match self {
            Self::Sts(_) => None,
            Self::Store(store) => Some(store),
        }
    }
}

impl Store {
    /// The key of the place.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.uid, self.generation)
    }
}

/// The key of a generation of a class.
#[must_use]
pub fn key(uid: &str, generation: i64) -> String {
    format!("{uid}@{generation}")
}

/// The beginning of a sentence about an answer.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sts(region) => write!(formatter, "AWS STS in {region}"),
            Self::Store(store) => {
                write!(
                    formatter,
                    "The store of AwsCredentialsClass \"{}\"",
                    store.class
                )
            }
        }
    }
}
