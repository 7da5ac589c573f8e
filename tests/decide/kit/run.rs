//! One run: the steps of `decide`, as the operator takes them, and the rules that hold for each.

use std::time::Duration;

use kube::ResourceExt;
use static_aws_credentials::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    decide::{
        self, Change, FoundTarget, Look, Plan, Query, Read, Source, Step, Target, World as Known,
        examine,
    },
    index::{Seen, Sight, View},
    remembered::Written,
    resource::{Resource, mentions},
    target::{FIELD_MANAGER, Passing},
    verdict::Answer,
};

use super::{World, rules, store::NAMESPACE};

/// A run that did not come to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// Somebody else wrote first.
    Conflict,
    /// The process ended.
    Crash,
}

/// A run in progress.
pub struct Run {
    pub name: String,
    pub resource: Resource,
    pub status: StaticAwsCredentialsStatus,
    pub source: Option<Source>,
    object: StaticAwsCredentials,
    version: String,
    view: View,
    targets: Vec<(String, Target)>,
    answers: Vec<(String, Answer)>,
    conflicts: u32,
}

impl Run {
    /// Begins where the watch and the memory stand.
    pub fn new(world: &mut World, object: StaticAwsCredentials) -> Self {
        let resource = Resource::parse(&object).expect("the spec is valid");
        let stored = object.status.clone().unwrap_or_default();
        let version = object.resource_version().unwrap_or_default();
        let rewinds = world.process.index.rewinds();
        let remembered = world.process.remembered(&resource.uid);
        let newer = |written: &Written| {
            written.rewinds == rewinds
                && version
                    .parse()
                    .is_ok_and(|stored: u64| stored < written.version)
        };
        remembered.written = remembered.written.take().filter(newer);
        let (status, version) = match remembered.written.clone() {
            Some(written) => (written.status, written.version.to_string()),
            None => (stored, version),
        };
        Self {
            name: object.name_any(),
            view: world.process.index.view(&resource.key),
            resource,
            status,
            version,
            source: None,
            targets: Vec::new(),
            answers: Vec::new(),
            conflicts: 0,
            object,
        }
    }

    /// Runs, and returns when to look again.
    pub fn go(mut self, world: &mut World) -> Result<Option<Duration>, Broken> {
        for _ in 0..16 {
            match self.with(world, decide::decide) {
                Step::Read(Read::Source) => self.read_source(world)?,
                Step::Read(Read::Target(name)) => self.read_target(world, &name)?,
                Step::Ask(query) => self.ask(world, &query)?,
                Step::Act(plan) => {
                    if let Some(pause) = self.act(world, *plan)? {
                        return Ok(pause);
                    }
                }
            }
        }
        panic!("the decision about {} never ends", self.name);
    }

    fn with<T>(&self, world: &mut World, with: impl FnOnce(&Known<'_>) -> T) -> T {
        let mono = world.mono();
        let refused_accounts = world.process.refusals.lately(mono);
        let now = world.wall();
        let (jitter, endpoint_replaced) = (world.jitter, world.endpoint_replaced);
        let remembered = world.process.remembered(&self.resource.uid);
        let refused_for = remembered.refused_for(&self.status, now, mono);
        with(&Known {
            resource: &self.resource,
            status: &self.status,
            view: &self.view,
            memory: &remembered.memory,
            source: self.source.as_ref(),
            targets: &self.targets,
            answers: &self.answers,
            refused_accounts: &refused_accounts,
            endpoint_replaced,
            due: remembered.due(mono),
            refused_for,
            restore_wait: remembered.restore_wait(mono),
            now,
            jitter,
        })
    }

    fn read_source(&mut self, world: &mut World) -> Result<(), Broken> {
        let name = self.resource.source.name.clone();
        world.request(format!("get {name}"))?;
        let source = match read(world, &name) {
            None => Source::Absent,
            Some((secret, seen)) => {
                Source::Found(examine(secret, seen, &self.resource, &world.process.key))
            }
        };
        let before = std::mem::replace(&mut self.view.source, source.sight());
        let index = &mut world.process.index;
        index.record(NAMESPACE, &name, &before, &self.view.source);
        self.source = Some(source);
        Ok(())
    }

    fn read_target(&mut self, world: &mut World, name: &str) -> Result<(), Broken> {
        world.request(format!("get {name}"))?;
        let target = match read(world, name) {
            None => Target::Absent,
            Some((secret, seen)) => Target::Found(Box::new(FoundTarget::new(secret, seen))),
        };
        self.saw(world, name, target.sight());
        self.targets.retain(|(read, _)| read != name);
        self.targets.push((name.to_owned(), target));
        Ok(())
    }

    fn saw(&mut self, world: &mut World, name: &str, sight: Sight) {
        let slot = if name == self.resource.target {
            &mut self.view.target
        } else {
            &mut self.view.published
        };
        let before = std::mem::replace(slot, sight.clone());
        let index = &mut world.process.index;
        index.record(NAMESPACE, name, &before, &sight);
    }

    fn ask(&mut self, world: &mut World, query: &Query) -> Result<(), Broken> {
        let Some(Source::Found(found)) = &self.source else {
            panic!("AWS is asked about a source that was not read");
        };
        let pair = found.pair.as_ref().expect("AWS is asked about a pair");
        let region = query.region.as_str();
        let known = world
            .process
            .recall(pair.fingerprint, region, query.max_age, world.now);
        let answer = match known {
            Some(answer) => answer,
            None => {
                world.request(format!("ask {region}"))?;
                let answer = world.aws.ask(world.now, &query.region, &pair.pair);
                world
                    .process
                    .keep(pair.fingerprint, region, &answer, world.now);
                answer
            }
        };
        self.answers.push((region.to_owned(), answer));
        Ok(())
    }

    fn act(
        &mut self,
        world: &mut World,
        mut plan: Plan,
    ) -> Result<Option<Option<Duration>>, Broken> {
        let remembered = world.process.remembered(&self.resource.uid);
        remembered.memory.proof.clone_from(&plan.memory.proof);
        match self.change(world, &plan.change)? {
            Ok(None) => {}
            Ok(Some((name, sight))) => self.changed(world, &mut plan, &name, sight),
            Err(name) => return self.conflict(world, &name).map(|()| None),
        }
        for (name, seen) in &plan.strays {
            rules::may_delete_stray(world, self, name);
            world.request(format!("delete {name}"))?;
            if world.store.delete(name, Some(seen)).is_ok() || world.store.secret(name).is_none() {
                let before = Sight::Present(seen.clone());
                let index = &mut world.process.index;
                index.record(NAMESPACE, name, &before, &Sight::Absent);
                self.view.strays.retain(|(stray, _)| stray != name);
                let published = self.status.published.as_ref();
                if published.is_some_and(|published| published.secret_name == *name) {
                    self.view.published = Sight::Unseen;
                }
            }
        }
        self.write_status(world, &plan.status)?;
        Ok(Some(self.finish(world, plan)))
    }

    /// What was written, or the name of the Secret that is not what the decision was made from.
    #[allow(clippy::type_complexity, reason = "two outcomes of one call")]
    fn change(
        &self,
        world: &mut World,
        change: &Change,
    ) -> Result<Result<Option<(String, Sight)>, String>, Broken> {
        let (name, written) = match change {
            Change::Nothing => return Ok(Ok(None)),
            Change::Create(draft) | Change::Replace(draft, _) => {
                let mut secret = Passing::new(draft.metadata.clone(), &draft.data).0.clone();
                let name = secret.name_any();
                rules::may_write(world, self, &name, &draft.data, change);
                if let Change::Replace(_, seen) = change {
                    world.request(format!("replace {name}"))?;
                    secret.metadata.uid = Some(seen.uid.to_string());
                    secret.metadata.resource_version = Some(seen.version.to_string());
                    (name, world.store.replace(secret).map(Sight::Present))
                } else {
                    world.request(format!("create {name}"))?;
                    let created = world.store.create(secret, FIELD_MANAGER);
                    (name, created.map(Sight::Present))
                }
            }
            Change::Delete(name, seen) => {
                rules::may_withdraw(world, self, name);
                world.request(format!("delete {name}"))?;
                let gone = world.store.secret(name).is_none();
                let deleted = world.store.delete(name, Some(seen));
                let deleted = if gone { Ok(()) } else { deleted };
                (name.clone(), deleted.map(|()| Sight::Absent))
            }
        };
        Ok(match written {
            Ok(sight) => Ok(Some((name, sight))),
            Err(_) => Err(name),
        })
    }

    fn changed(&mut self, world: &mut World, plan: &mut Plan, name: &str, sight: Sight) {
        if let (Sight::Present(seen), Some(published)) = (&sight, &mut plan.status.published) {
            published.uid = seen.uid.to_string();
            published.resource_version = seen.version.to_string();
        }
        if matches!(&plan.change, Change::Create(draft) | Change::Replace(draft, _) if draft.restores)
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
        let version = written.map_err(|_| Broken::Conflict)?;
        self.status = status.clone();
        // What the watch will say in a moment is known already.
        let rewinds = world.process.index.rewinds();
        world.process.remembered(&self.resource.uid).written = Some(Written {
            version,
            status: status.clone(),
            rewinds,
        });
        Ok(())
    }

    fn finish(&self, world: &mut World, plan: Plan) -> Option<Duration> {
        let mono = world.mono();
        if let Some(account) = plan.first_refusal {
            world.process.refusals.record(account, mono);
        }
        let mut view = self.view.clone();
        let published = self.status.published.as_ref();
        if published.is_none_or(|published| published.secret_name == self.resource.target) {
            view.published = Sight::Unseen;
        }
        let look = Look::of(self.resource.generation, &view, &self.status);
        let remembered = world.process.remembered(&self.resource.uid);
        if let Some(settling) = plan.status.settling.as_ref().filter(|_| plan.refusal_began) {
            remembered.refusal_began(&settling.key_id_suffix, mono);
        }
        remembered.memory = plan.memory;
        remembered.memory.look = Some(look);
        remembered.failures = 0;
        remembered.schedule(plan.next, mono);
        remembered.pause(mono)
    }

    /// What the index is told of the resource when its own status has come back.
    pub fn mentions(object: &StaticAwsCredentials) -> static_aws_credentials::index::Mentions {
        mentions(object, object.status.as_ref())
    }
}

fn read(world: &World, name: &str) -> Option<(k8s_openapi::api::core::v1::Secret, Seen)> {
    let secret = world.store.secret(name)?.clone();
    let seen = Seen::of_metadata(&secret.metadata)?;
    Some((secret, seen))
}
