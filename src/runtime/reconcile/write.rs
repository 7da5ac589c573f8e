//! Writes of the target and removals of leftovers. Without a required admission policy that is known to be enforced,
//! they are rejected.

use super::{Driver, with_deadline};
use crate::{
    domain::{
        decide::{Leftover, TargetWrite},
        reconcile::{Event, Removed, WriteOutcome},
    },
    error::Error,
    runtime::act,
};

impl Driver<'_> {
    pub(super) async fn confirm(&mut self) -> Result<Event, Error> {
        self.may_act().await?;
        let (client, key) = (&self.context.shared.client, &self.resource.key);
        with_deadline(act::dry_run_precondition(client, key, self.run.version())).await?;
        Ok(Event::Confirmed)
    }

    pub(super) async fn write(&mut self, change: &TargetWrite) -> Result<Event, Error> {
        self.may_act().await?;
        let shared = &self.context.shared;
        if let Some(finding) = shared.guards.obstacle() {
            return Ok(Event::Written(WriteOutcome::Rejected(finding)));
        }
        let namespace = &self.resource.key.namespace;
        let written = with_deadline(act::change(&shared.client, namespace, change)).await?;
        Ok(Event::Written(written))
    }

    pub(super) async fn remove(&mut self, leftover: &Leftover) -> Result<Event, Error> {
        self.may_act().await?;
        let shared = &self.context.shared;
        if let Some(finding) = shared.guards.obstacle() {
            return Ok(Event::Removed(Removed::Refused(finding.message)));
        }
        let namespace = &self.resource.key.namespace;
        let remove = async { Ok(act::remove(&shared.client, namespace, leftover).await) };
        let late = |error: Error| Removed::Unanswered(error.to_string());
        let removed = with_deadline(remove).await.unwrap_or_else(late);
        Ok(Event::Removed(removed))
    }
}
