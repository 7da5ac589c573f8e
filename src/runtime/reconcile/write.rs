//! Writes of the target and removals of leftovers, unless a required admission policy is not known to be enforced.

use super::{Driver, with_deadline};
use crate::{
    domain::{
        decide::{Leftover, TargetWrite},
        reconcile::{Removed, WriteOutcome},
    },
    error::Error,
    runtime::act,
};

impl Driver<'_> {
    pub(super) async fn write(&self, change: &TargetWrite) -> Result<WriteOutcome, Error> {
        let shared = &self.context.shared;
        if let Some(finding) = shared.guards.obstacle() {
            return Ok(WriteOutcome::Rejected(finding));
        }
        let namespace = &self.resource.key.namespace;
        with_deadline(act::change(&shared.client, namespace, change)).await
    }

    pub(super) async fn remove(&self, leftover: &Leftover) -> Removed {
        let shared = &self.context.shared;
        if let Some(finding) = shared.guards.obstacle() {
            return Removed::Refused(finding.message);
        }
        let namespace = &self.resource.key.namespace;
        let remove = async { Ok(act::remove(&shared.client, namespace, leftover).await) };
        let late = |error: Error| Removed::Unanswered(error.to_string());
        with_deadline(remove).await.unwrap_or_else(late)
    }
}
