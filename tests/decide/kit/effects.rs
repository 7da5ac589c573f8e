//! The effects of a plan.

use std::time::Duration;

use kube::ResourceExt;
use static_aws_credentials::{
    api::StaticAwsCredentialsStatus,
    domain::{
        decide::{InputsHash, Plan, Requeue, TargetWrite},
        index::Observed,
        target::{FIELD_MANAGER, ZeroizingSecret},
    },
    runtime::runtime_state::PendingStatus,
};

use super::{
    World, rules,
    run::{Broken, Run},
};

impl Run {
    #[allow(
        clippy::option_option,
        reason = "when to look again, once the run is over"
    )]
    pub(super) fn act(
        &mut self,
        world: &mut World,
        mut plan: Plan,
    ) -> Result<Option<Option<Duration>>, Broken> {
        let remembered = world.process.remembered(&self.resource.uid);
        remembered.memory.proof.clone_from(&plan.memory.proof);
        if plan.is_confirmed_first() {
            self.confirm(world)?;
        }
        match self.change(world, &plan.change)? {
            Ok(None) => {}
            Ok(Some((name, sight))) => self.changed(world, &mut plan, &name, &sight),
            Err(name) => return self.conflict(world, &name).map(|()| None),
        }
        self.remove_leftovers(world, &mut plan)?;
        self.write_status(world, &plan.status)?;
        Ok(Some(self.finish(world, plan)))
    }

    /// A dry run of a status write: the resource must not have changed since the decision.
    fn confirm(&self, world: &mut World) -> Result<(), Broken> {
        world.request(format!("confirm {}", self.name))?;
        let current = world.store.resources.get(&self.name);
        let version = current.and_then(ResourceExt::resource_version);
        if version.as_deref() == Some(&*self.version) {
            Ok(())
        } else {
            Err(Broken::Conflict)
        }
    }

    /// The written Secret, or the name of the Secret that has changed since the decision.
    #[allow(clippy::type_complexity, reason = "two outcomes of one call")]
    fn change(
        &self,
        world: &mut World,
        change: &TargetWrite,
    ) -> Result<Result<Option<(String, Observed)>, String>, Broken> {
        let (name, written) = match change {
            TargetWrite::Nothing => return Ok(Ok(None)),
            TargetWrite::Create(draft) | TargetWrite::Replace(draft, _) => {
                let mut secret = ZeroizingSecret::new(draft.metadata.clone(), &draft.data)
                    .0
                    .clone();
                let name = secret.name_any();
                rules::may_write(world, self, &name, &draft.data, change);
                if let TargetWrite::Replace(_, seen) = change {
                    world.request(format!("replace {name}"))?;
                    secret.metadata.uid = Some(seen.uid.to_string());
                    secret.metadata.resource_version = Some(seen.version.to_string());
                    (name, world.store.replace(secret).map(Observed::Found))
                } else {
                    world.request(format!("create {name}"))?;
                    let created = world.store.create(secret, FIELD_MANAGER);
                    (name, created.map(Observed::Found))
                }
            }
            TargetWrite::Delete(name, seen) => {
                rules::may_withdraw(world, self, name);
                world.request(format!("delete {name}"))?;
                let gone = world.store.secret(name).is_none();
                let deleted = world.store.delete(name, Some(seen));
                let deleted = if gone { Ok(()) } else { deleted };
                (name.clone(), deleted.map(|()| Observed::NotFound))
            }
        };
        world.reply()?;
        Ok(match written {
            Ok(sight) => Ok(Some((name, sight))),
            Err(_) => Err(name),
        })
    }

    fn changed(&mut self, world: &mut World, plan: &mut Plan, name: &str, sight: &Observed) {
        if let (Observed::Found(seen), Some(published)) = (sight, &mut plan.status.published) {
            published.uid = seen.uid.to_string();
            published.resource_version = seen.version.to_string();
        }
        if matches!(&plan.change, TargetWrite::Create(draft) | TargetWrite::Replace(draft, _) if draft.is_repair)
        {
            let mono = world.mono();
            world.process.remembered(&self.resource.uid).restored(mono);
        }
        self.saw(world, name, sight);
    }

    fn conflict(&mut self, world: &mut World, name: &str) -> Result<(), Broken> {
        self.conflicts += 1;
        if self.conflicts >= 4 {
            return Err(Broken::Conflict);
        }
        self.read_target(world, name)
    }

    fn write_status(
        &mut self,
        world: &mut World,
        status: &StaticAwsCredentialsStatus,
    ) -> Result<(), Broken> {
        if *status == self.status {
            return Ok(());
        }
        rules::may_report(world, self, status);
        world.request(format!("status {}", self.name))?;
        let written = world.store.write_status(&self.name, &self.version, status);
        world.reply()?;
        let version = written.map_err(|_| Broken::Conflict)?;
        self.status = status.clone();
        // The watch delivers this status only later.
        let epoch = world.process.index.epoch();
        world.process.remembered(&self.resource.uid).written = Some(Box::new(PendingStatus {
            version,
            status: status.clone(),
            epoch,
        }));
        Ok(())
    }

    fn finish(&self, world: &mut World, plan: Plan) -> Option<Duration> {
        let mono = world.mono();
        let mut view = self.view.clone();
        let published = self.status.published.as_ref();
        if published.is_none_or(|published| published.secret_name == self.resource.target) {
            view.published = Observed::Unknown;
        }
        let look = InputsHash::of(self.resource.generation, &view, &self.status);
        let seen = (self.resource.generation, view, self.status.clone());
        world.process.looks.insert(format!("{look:?}"), seen);
        let remembered = world.process.remembered(&self.resource.uid);
        if let Some(settling) = plan.status.settling.as_ref().filter(|_| plan.refusal_began) {
            remembered.refusal_began(&settling.key_id_suffix, mono);
        }
        remembered.update_memory(plan.memory, mono);
        remembered.failures = 0;
        if plan.next == Requeue::Answer {
            let pause = remembered.restore_wait(mono);
            let questions = &mut world.process.questions;
            if let Some(waiting) = questions.get_mut(&*self.resource.uid) {
                waiting.look = pause.is_none().then_some(look);
            }
            return pause;
        }
        remembered.memory.look = Some(look);
        remembered.schedule(plan.next, mono);
        let waits = [remembered.pause(mono), remembered.leftovers.wait(mono)];
        world.process.questions.remove(&*self.resource.uid);
        waits.into_iter().flatten().min()
    }
}
