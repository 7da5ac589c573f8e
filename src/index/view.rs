//! What one resource is told of the index.

use super::{Observed, SecretVersion};

/// What the index knows that concerns one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// The source.
    pub source: Observed,
    /// The Secret of the target's name.
    pub target: Observed,
    /// The published Secret, where it has another name than the target.
    pub published: Observed,
    /// Secrets that carry both marks of the resource under any other name: [`super::MAX_STALE_TARGETS`] of
    /// them, in the order of their names.
    pub stale_targets: Vec<(String, SecretVersion)>,
    /// A resource that wants the same target and comes first.
    pub conflicting_resource: Option<String>,
}
