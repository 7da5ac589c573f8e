//! Writes the target, unless a required admission policy is not known to be enforced.

use super::{Reconcile, with_deadline};
use crate::{
    domain::decide::TargetWrite,
    error::Error,
    runtime::act::{self, WriteOutcome},
};

impl Reconcile<'_> {
    pub(super) async fn change(&self, change: &TargetWrite) -> Result<WriteOutcome, Error> {
        let shared = &self.context.shared;
        let is_write = !matches!(change, TargetWrite::Nothing);
        if let Some(finding) = shared.guards.obstacle().filter(|_| is_write) {
            return Ok(WriteOutcome::Rejected(finding));
        }
        with_deadline(act::change(
            &shared.client,
            &self.resource.key.namespace,
            change,
        ))
        .await
    }
}
