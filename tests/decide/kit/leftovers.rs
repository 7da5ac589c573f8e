//! The removal of leftovers.

use static_aws_credentials::domain::{
    decide::{Fate, Leftover, Plan, leftovers_note, tell_leftovers},
    index::Observed,
};

use super::{
    NAMESPACE, World, rules,
    run::{Broken, Run},
};

impl Run {
    pub(super) fn remove_leftovers(
        &mut self,
        world: &mut World,
        plan: &mut Plan,
    ) -> Result<(), Broken> {
        let leftovers = std::mem::take(&mut plan.leftovers);
        let mut refused = Vec::new();
        for leftover in &leftovers {
            let Leftover { name, fate, .. } = leftover;
            if *fate == Fate::Deleted && world.store.protected.contains(name) {
                world.request(format!("delete {name}"))?;
                refused.push((leftover, "403 Forbidden".to_owned()));
            } else if let Some(sight) = self.remove(world, leftover)? {
                self.removed(world, leftover, &sight, plan);
            }
        }
        let note = leftovers_note(&refused);
        if note.is_some() {
            tell_leftovers(&mut plan.status.conditions, note.as_deref());
        }
        let mono = world.mono();
        let remembered = world.process.remembered(&self.resource.uid);
        remembered.leftovers.tried(&leftovers, note, mono);
        Ok(())
    }

    fn remove(&self, world: &mut World, leftover: &Leftover) -> Result<Option<Observed>, Broken> {
        let Leftover { name, seen, fate } = leftover;
        let done = match fate {
            Fate::Deleted => {
                rules::may_delete_stray(world, self, name, seen);
                world.request(format!("delete {name}"))?;
                let deleted = world.store.delete(name, Some(seen)).is_ok();
                let gone = deleted || world.store.secret(name).is_none();
                gone.then_some(Observed::NotFound)
            }
            Fate::Released => {
                rules::may_release(world, self, name, seen);
                world.request(format!("release {name}"))?;
                let mut secret = world.store.secret(name).cloned();
                if let Some(secret) = &mut secret {
                    secret.metadata.owner_references = None;
                    secret.metadata.uid = Some(seen.uid.to_string());
                    secret.metadata.resource_version = Some(seen.version.to_string());
                }
                match secret {
                    Some(secret) => world.store.replace(secret).ok().map(Observed::Found),
                    None => Some(Observed::NotFound),
                }
            }
        };
        world.reply()?;
        Ok(done)
    }

    fn removed(
        &mut self,
        world: &mut World,
        leftover: &Leftover,
        sight: &Observed,
        plan: &mut Plan,
    ) {
        let before = Observed::Found(leftover.seen.clone());
        let index = &mut world.process.index;
        index.record(NAMESPACE, &leftover.name, &before, sight);
        let published = self.status.published.as_ref();
        let known = (published, self.resource.target.as_str());
        leftover.removed(sight, known, &mut self.view, plan);
    }
}
