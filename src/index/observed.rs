//! What was last seen of a Secret.

use kube::api::ObjectMeta;

use crate::{target, uid::Uid};

/// A Secret as its metadata showed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretVersion {
    /// UID of the Secret.
    pub uid: Uid,
    /// Resource version of the Secret. Kubernetes orders them as numbers.
    pub version: u64,
    /// UID of the resource whose label and controller reference it carries, where both agree.
    pub owner_uid: Option<Uid>,
    /// Whether its metadata holds nothing but what this operator writes.
    pub only_our_metadata: bool,
}

/// What is known of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Observed {
    /// Nothing.
    #[default]
    Unknown,
    /// It does not exist.
    NotFound,
    /// It exists.
    Found(SecretVersion),
}

impl SecretVersion {
    /// What the metadata shows, if its version can be ordered.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            uid: metadata.uid.as_deref()?.into(),
            version: metadata.resource_version.as_deref()?.parse().ok()?,
            owner_uid: target::owner_uid(metadata).map(Into::into),
            only_our_metadata: target::has_only_our_metadata(metadata),
        })
    }

    /// Whether this is the version of the object that a status speaks of.
    #[must_use]
    pub fn is(&self, uid: &str, version: &str) -> bool {
        self.uid == *uid && version.parse() == Ok(self.version)
    }
}

impl Observed {
    /// What was seen, if it exists.
    #[must_use]
    pub fn present(&self) -> Option<&SecretVersion> {
        match self {
            Self::Found(seen) => Some(seen),
            Self::Unknown | Self::NotFound => None,
        }
    }

    /// Takes note of a version unless a later one is known.
    pub(super) fn update_if_newer(&mut self, seen: SecretVersion) {
        if !matches!(self, Self::Found(kept) if kept.version >= seen.version) {
            *self = Self::Found(seen);
        }
    }

    /// Takes note of a deletion unless something later is known.
    pub(super) fn mark_deleted(&mut self, version: u64) {
        if !matches!(self, Self::Found(kept) if kept.version > version) {
            *self = Self::NotFound;
        }
    }
}
