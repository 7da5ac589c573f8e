//! The Secrets that a resource references.

use std::{fmt, sync::Arc};

use crate::domain::uid::Uid;

/// Namespace and name of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamespacedName {
    /// Namespace of the resource.
    pub namespace: Arc<str>,
    /// Name of the resource.
    pub name: Arc<str>,
}

/// The identity of a resource and the names of the Secrets that it references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct References {
    /// UID of the resource.
    pub uid: Uid,
    /// When the resource was created, in seconds since 1970.
    pub created: i64,
    /// Name of the source.
    pub source: Arc<str>,
    /// Name of the target that the spec asks for.
    pub target: Arc<str>,
    /// Name of the Secret that the status records as published.
    pub published: Option<Arc<str>>,
}

impl NamespacedName {
    /// A key from a namespace and a name.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// A key that shares the memory of stored names.
    pub(super) fn sharing(namespace: &Arc<str>, name: &Arc<str>) -> Self {
        Self {
            namespace: Arc::clone(namespace),
            name: Arc::clone(name),
        }
    }
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl References {
    /// Names of the referenced Secrets, each once.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        let target = Some(&*self.target).filter(|name| **name != *self.source);
        let published = self
            .published
            .as_deref()
            .filter(|name| **name != *self.source && **name != *self.target);
        [Some(&*self.source), target, published]
            .into_iter()
            .flatten()
    }

    /// All names, to be replaced by equal ones that share memory.
    pub(super) fn names_mut(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        [&mut self.source, &mut self.target]
            .into_iter()
            .chain(self.published.as_mut())
    }

    /// Whether a Secret of this name is the published target or the target that the spec asks for.
    #[must_use]
    pub fn is_target(&self, name: &str) -> bool {
        *self.target == *name || self.published.as_deref() == Some(name)
    }

    /// Sorts the resources that want one target: first one that publishes there, then older ones, then by UID.
    #[must_use]
    pub fn priority(&self) -> (bool, i64, &Uid) {
        let publishes_there = self.published.as_ref() == Some(&self.target);
        (!publishes_there, self.created, &self.uid)
    }
}
