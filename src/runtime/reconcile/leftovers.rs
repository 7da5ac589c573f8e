//! Leftovers are removed after the target is written and before the status is written.

use std::time::Duration;

use tokio::time::Instant;

use super::{Reconcile, with_deadline};
use crate::{
    domain::{
        decide::{self, Leftover, Plan},
        index::Observed,
    },
    runtime::act::{self, Removed},
};

impl Reconcile<'_> {
    /// Deletes or releases leftovers. A rejected removal is reported and retried later; the other removals and
    /// the status do not wait for it.
    pub(super) async fn remove_leftovers(&mut self, plan: &mut Plan) {
        let leftovers = std::mem::take(&mut plan.leftovers);
        let mut refused = Vec::new();
        let obstacle = self.context.shared.guards.obstacle();
        for leftover in &leftovers {
            // Each removal may take longer than the lease is valid.
            if self.ensure_leader().is_err() {
                break;
            }
            if let Some(obstacle) = &obstacle {
                refused.push((leftover, obstacle.message.clone()));
                continue;
            }
            let (client, key) = (&self.context.shared.client, &self.resource.key);
            let remove = async { Ok(act::remove(client, &key.namespace, leftover).await) };
            match with_deadline(remove).await {
                Ok(Removed::Done(sight)) => self.removed(leftover, &sight, plan),
                Ok(Removed::Changed) => {}
                Ok(Removed::Refused(why)) => refused.push((leftover, why)),
                Ok(Removed::Unanswered(why)) => {
                    refused.push((leftover, why));
                    break;
                }
                Err(late) => {
                    refused.push((leftover, late.to_string()));
                    break;
                }
            }
        }
        let note = decide::leftovers_note(&refused);
        if note.is_some() {
            decide::tell_leftovers(&mut plan.status.conditions, note.as_deref());
        }
        self.context.with_state(self.resource, |remembered| {
            remembered.leftovers.tried(&leftovers, note, Instant::now());
        });
    }

    fn removed(&mut self, leftover: &Leftover, sight: &Observed, plan: &mut Plan) {
        let before = Observed::Found(leftover.seen.clone());
        self.record(&leftover.name, &before, sight);
        let published = self.status.published.as_ref();
        let known = (published, self.resource.target.as_str());
        leftover.removed(sight, known, &mut self.view, plan);
    }

    /// Time until failed removals are retried.
    pub(super) fn leftovers_wait(&self) -> Option<Duration> {
        self.context.with_state(self.resource, |remembered| {
            remembered.leftovers.wait(Instant::now())
        })
    }
}
