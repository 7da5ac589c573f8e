//! The effects of a reconcile that write: on the target, on leftovers and on the status, each with its rules.

use kube::ResourceExt;
use static_aws_credentials::{
    api::StaticAwsCredentialsStatus,
    domain::{
        decide::{Disposal, Leftover, TargetWrite},
        index::Observed,
        reconcile::{Event, Removed, WriteOutcome},
        target::{FIELD_MANAGER, ZeroizingSecret},
    },
};

use super::super::{World, rules};
use super::{Interrupted, Run};

impl Run<'_> {
    /// A dry run of a status write: the resource must not have changed since the decision.
    pub(super) fn confirm(&self, world: &mut World) -> Result<Event, Interrupted> {
        world.request(format!("confirm {}", self.name))?;
        let current = world.store.resources.get(&self.name);
        let version = current.and_then(ResourceExt::resource_version);
        if version.as_deref() == Some(self.reconcile.version()) {
            Ok(Event::Confirmed)
        } else {
            Err(Interrupted::Conflict)
        }
    }

    pub(super) fn write(
        &self,
        world: &mut World,
        change: &TargetWrite,
    ) -> Result<WriteOutcome, Interrupted> {
        let (name, written) = match change {
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
            Ok(after) => WriteOutcome::Applied(name, after),
            Err(_) => WriteOutcome::Conflict(name),
        })
    }

    pub(super) fn remove(
        &self,
        world: &mut World,
        leftover: &Leftover,
    ) -> Result<Removed, Interrupted> {
        let Leftover {
            name,
            seen,
            disposal,
        } = leftover;
        if *disposal == Disposal::Delete && world.store.protected.contains(name) {
            world.request(format!("delete {name}"))?;
            return Ok(Removed::Refused("403 Forbidden".to_owned()));
        }
        let done = match disposal {
            Disposal::Delete => {
                rules::may_delete_stray(world, self, name, seen);
                world.request(format!("delete {name}"))?;
                let deleted = world.store.delete(name, Some(seen)).is_ok();
                let gone = deleted || world.store.secret(name).is_none();
                gone.then_some(Observed::NotFound)
            }
            Disposal::Release => {
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
        Ok(done.map_or(Removed::Changed, Removed::Done))
    }

    pub(super) fn write_status(
        &self,
        world: &mut World,
        status: Box<StaticAwsCredentialsStatus>,
    ) -> Result<Event, Interrupted> {
        rules::may_report(world, self, &status);
        world.request(format!("status {}", self.name))?;
        let version = self.reconcile.version();
        let written = world.store.write_status(&self.name, version, &status);
        world.reply()?;
        let version = written.map_err(|_| Interrupted::Conflict)?;
        Ok(Event::StatusWritten(status, Some(version)))
    }
}
