//! What was last seen of a Secret.

use kube::api::ObjectMeta;

use crate::{target, uid::Uid};

/// A Secret as its metadata showed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// UID of the Secret.
    pub uid: Uid,
    /// Resource version of the Secret. Kubernetes orders them as numbers.
    pub version: u64,
    /// UID of the resource whose label and controller reference it carries, where both agree.
    pub marked_by: Option<Uid>,
    /// Whether its metadata holds nothing but what this operator writes.
    pub plain: bool,
}

/// What is known of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sight {
    /// Nothing.
    #[default]
    Unseen,
    /// It does not exist.
    Absent,
    /// It exists.
    Present(Seen),
}

impl Seen {
    /// What the metadata shows, if its version can be ordered.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            uid: metadata.uid.as_deref()?.into(),
            version: metadata.resource_version.as_deref()?.parse().ok()?,
            marked_by: target::marked_by(metadata).map(Into::into),
            plain: target::is_plain(metadata),
        })
    }

    /// Whether this is the version of the object that a status speaks of.
    #[must_use]
    pub fn is(&self, uid: &str, version: &str) -> bool {
        self.uid == *uid && version.parse() == Ok(self.version)
    }
}

impl Sight {
    /// What was seen, if it exists.
    #[must_use]
    pub fn present(&self) -> Option<&Seen> {
        match self {
            Self::Present(seen) => Some(seen),
            Self::Unseen | Self::Absent => None,
        }
    }

    /// Takes note of a version unless a later one is known.
    pub(super) fn advance(&mut self, seen: Seen) {
        if !matches!(self, Self::Present(kept) if kept.version >= seen.version) {
            *self = Self::Present(seen);
        }
    }

    /// Takes note of a deletion unless something later is known.
    pub(super) fn retire(&mut self, version: u64) {
        if !matches!(self, Self::Present(kept) if kept.version > version) {
            *self = Self::Absent;
        }
    }
}
