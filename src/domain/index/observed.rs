//! What was last observed of a Secret.

use kube::api::ObjectMeta;

use crate::{
    api::Published,
    domain::{target, uid::Uid},
};

/// What the metadata of a Secret showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretVersion {
    /// UID of the Secret.
    pub uid: Uid,
    /// Resource version of the Secret. Kubernetes orders resource versions as numbers.
    pub version: u64,
    /// UID of the owning resource, if label and controller reference agree.
    pub owner_uid: Option<Uid>,
    /// Whether the metadata holds nothing but what this operator writes.
    pub only_our_metadata: bool,
}

/// What is known of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Observed {
    /// Nothing was observed.
    #[default]
    Unknown,
    /// The Secret does not exist.
    NotFound,
    /// The Secret exists.
    Found(SecretVersion),
}

impl SecretVersion {
    /// Reads the metadata; none without a UID and a numeric version.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            uid: metadata.uid.as_deref()?.into(),
            version: metadata.resource_version.as_deref()?.parse().ok()?,
            owner_uid: target::owner_uid(metadata).map(Into::into),
            only_our_metadata: target::has_only_our_metadata(metadata),
        })
    }

    /// Whether a status that records this UID and version refers to this state of the Secret.
    #[must_use]
    pub fn is(&self, uid: &str, version: &str) -> bool {
        self.uid == *uid && version.parse() == Ok(self.version)
    }

    /// Whether a status records this version as published.
    #[must_use]
    pub fn matches(&self, published: &Published) -> bool {
        self.is(&published.uid, &published.resource_version)
    }
}

impl Observed {
    /// The version of an existing Secret.
    #[must_use]
    pub fn present(&self) -> Option<&SecretVersion> {
        match self {
            Self::Found(seen) => Some(seen),
            Self::Unknown | Self::NotFound => None,
        }
    }

    /// Records a version unless the same or a later one is known.
    pub(super) fn update_if_newer(&mut self, seen: SecretVersion) {
        if !matches!(self, Self::Found(kept) if kept.version >= seen.version) {
            *self = Self::Found(seen);
        }
    }

    /// Records a deletion unless a later version is known.
    pub(super) fn mark_deleted(&mut self, version: u64) {
        if !matches!(self, Self::Found(kept) if kept.version > version) {
            *self = Self::NotFound;
        }
    }
}
