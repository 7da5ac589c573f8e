//! What a run changes of its target, unless policies that are required are not seen to be enforced.

use super::{Run, in_time};
use crate::{
    act::{self, Changed},
    decide::Change,
    error::Error,
};

impl Run<'_> {
    /// Changes the target.
    pub(super) async fn change(&self, change: &Change) -> Result<Changed, Error> {
        let shared = &self.context.shared;
        let is_write = !matches!(change, Change::Nothing);
        if let Some(finding) = shared.guards.obstacle().filter(|_| is_write) {
            return Ok(Changed::Refused(finding));
        }
        in_time(act::change(
            &shared.client,
            &self.resource.key.namespace,
            change,
        ))
        .await
    }
}
