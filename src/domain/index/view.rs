//! The part of the index that the reconcile of one resource needs.

use super::{Observed, SecretVersion};

/// What the index holds for one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// The source.
    pub source: Observed,
    /// The Secret with the name of the target.
    pub target: Observed,
    /// The published Secret, if its name differs from the target's.
    pub published: Observed,
    /// Secrets with both marks of the resource (label, controller reference) under any other name,
    /// sorted by name; [`super::MAX_STALE_TARGETS`] at most.
    pub stale_targets: Vec<(String, SecretVersion)>,
    /// The resource that wants the same target and has priority.
    pub conflicting_resource: Option<String>,
}
