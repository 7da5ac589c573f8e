//! How much of a scope has been listed.

/// Progress of the two initial lists. Resources are listed first, so that the referenced names are
/// known when the Secrets arrive; reconciles begin after both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncState {
    /// Neither list is complete.
    Syncing,
    /// Every resource is known.
    ResourcesSynced,
    /// Every relevant Secret is known, too.
    Synced,
}
