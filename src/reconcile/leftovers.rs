//! Leftovers go after the target stands and before the status is written.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, in_time};
use crate::{
    act::{self, Removed},
    decide::{self, Fate, Leftover, Plan},
    index::Sight,
};

impl Run<'_> {
    /// Deletes or releases leftovers. One that is refused is reported and tried again later, and keeps
    /// neither the others nor the status back.
    pub(super) async fn remove_leftovers(&mut self, plan: &mut Plan) {
        let leftovers = std::mem::take(&mut plan.leftovers);
        let mut refused = Vec::new();
        for leftover in &leftovers {
            let (client, key) = (&self.context.shared.client, &self.resource.key);
            let remove = async { Ok(act::remove(client, &key.namespace, leftover).await) };
            match in_time(remove).await {
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
        self.context.remember(self.resource, |remembered| {
            remembered.leftovers.tried(&leftovers, note, Instant::now());
        });
    }

    fn removed(&mut self, leftover: &Leftover, sight: &Sight, plan: &mut Plan) {
        let Leftover { name, seen, fate } = leftover;
        self.record(name, &Sight::Present(seen.clone()), sight);
        self.view.strays.retain(|(stray, _)| stray != name);
        let before = self.status.published.as_ref();
        let was_published = before.is_some_and(|published| published.secret_name == *name);
        if !was_published {
            return;
        }
        let slot = if *name == self.resource.target {
            &mut self.view.target
        } else {
            &mut self.view.published
        };
        *slot = match fate {
            Fate::Deleted => Sight::Unseen,
            Fate::Released => sight.clone(),
        };
        let published = plan.status.published.as_mut();
        let published = published.filter(|it| it.secret_name == *name);
        // What others edited stays another version than the one that was published.
        let intact = published.filter(|it| seen.is(&it.uid, &it.resource_version));
        if let (Some(published), Some(now)) = (intact, sight.present()) {
            published.resource_version = now.version.to_string();
        }
    }

    /// How long until refused leftovers are tried again.
    pub(super) fn leftovers_wait(&self) -> Option<Duration> {
        self.context.remember(self.resource, |remembered| {
            remembered.leftovers.wait(Instant::now())
        })
    }
}
