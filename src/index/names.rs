//! Names that a resource mentions.

use std::fmt;

/// Namespace and name of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKey {
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
}

/// What a resource says of itself and of Secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mentions {
    /// UID of the resource.
    pub uid: Box<str>,
    /// When the resource was created, in seconds since 1970.
    pub created: i64,
    /// Name of the source.
    pub source: Box<str>,
    /// Name of the target that the spec asks for.
    pub target: Box<str>,
    /// Name of the Secret that the status calls published.
    pub published: Option<Box<str>>,
}

impl ResourceKey {
    /// The key of a namespace and a name.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl Mentions {
    /// The Secrets that are mentioned, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let target = Some(&*self.target).filter(|name| **name != *self.source);
        let published = self
            .published
            .as_deref()
            .filter(|name| **name != *self.source && **name != *self.target);
        [Some(&*self.source), target, published]
            .into_iter()
            .flatten()
    }

    /// Whether a Secret of this name is, or is to be, the target.
    #[must_use]
    pub fn owns(&self, name: &str) -> bool {
        *self.target == *name || self.published.as_deref() == Some(name)
    }

    /// Who of several that want one target comes first: who publishes there, then the older one.
    #[must_use]
    pub fn precedence(&self) -> (bool, i64, &str) {
        let publishes_there = self.published.as_ref() == Some(&self.target);
        (!publishes_there, self.created, &*self.uid)
    }
}
