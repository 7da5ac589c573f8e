//! One reconcile: the steps of `decide` as the operator takes them, and the rules for each.

use std::{sync::Arc, time::Duration};

use kube::ResourceExt;
use static_aws_credentials::{
    api::{ConditionType, StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        conditions,
        decide::{
            Awaited, FoundTarget, Inputs as Known, Query, Read, Source, Step, Target, examine,
        },
        fingerprint::Fingerprint,
        index::{Observed, SecretVersion, View},
        region::Region,
        resource::{ValidatedCredentials, copied, references},
        verdict::{Answer, Control},
    },
    runtime::runtime_state::PendingStatus,
};

use super::{World, build::key_pair, process::Waiting, store::NAMESPACE};

/// Why a reconcile did not complete.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// Another writer was first.
    Conflict,
    /// A write was stored, and its response was lost.
    Lost,
    /// The process ended.
    Crash,
}

/// A reconcile in progress.
pub struct Run {
    pub name: String,
    pub resource: ValidatedCredentials,
    pub status: StaticAwsCredentialsStatus,
    pub source: Option<Source>,
    pub(super) version: String,
    pub(super) view: View,
    targets: Vec<(String, Target)>,
    answers: Vec<(String, Answer)>,
    control: Option<Control>,
    awaited: Option<Awaited>,
    pub(super) conflicts: u32,
}

impl Run {
    /// Begins with the present state of watch and memory.
    pub fn new(world: &mut World, object: &StaticAwsCredentials) -> Self {
        let resource = ValidatedCredentials {
            credential_process_ttl: world.credential_process_ttl,
            copied_labels: copied(object, &world.copied_labels),
            ..ValidatedCredentials::parse(object).expect("the spec is valid")
        };
        let stored = object.status.clone().unwrap_or_default();
        let version = object.resource_version().unwrap_or_default();
        let rewinds = world.process.index.epoch();
        let mono = world.mono();
        let remembered = world.process.remembered(&resource.uid);
        let newer = |written: &PendingStatus| {
            written.status.observed_generation == resource.generation
                && written.epoch == rewinds
                && version
                    .parse()
                    .is_ok_and(|stored: u64| stored < written.version)
        };
        let written = remembered.written.take();
        remembered.written = written.filter(|written| newer(written));
        let leftovers_due = remembered.leftovers.is_due(mono);
        if leftovers_due {
            remembered.memory.look = None;
        }
        let after = remembered.leftovers.after().to_owned();
        let (status, version) = match remembered.written.clone() {
            Some(written) => (written.status, written.version.to_string()),
            None => (stored, version),
        };
        let waiting = world.process.questions.get_mut(&resource.uid);
        if let Some(waiting) = waiting.filter(|_| leftovers_due) {
            waiting.look = None;
        }
        Self {
            name: object.name_any(),
            view: world.process.index.view_after(&resource.key, &after),
            resource,
            status,
            version,
            source: None,
            targets: Vec::new(),
            answers: Vec::new(),
            control: None,
            awaited: None,
            conflicts: 0,
        }
    }

    /// Reconciles, and returns the pause before the next reconcile.
    pub fn go(mut self, world: &mut World) -> Result<Option<Duration>, Broken> {
        for _ in 0..16 {
            match self.with(world, world.decide) {
                Step::Read(Read::Source) => self.read_source(world)?,
                Step::Read(Read::Target(name)) => self.read_target(world, &name)?,
                Step::Ask(query) => self.ask(world, &query)?,
                Step::Control(region) => self.control_by_others(world, &region)?,
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
        let now = world.wall();
        let (jitter, endpoint_replaced) = (world.jitter, world.endpoint_replaced);
        let question = world.process.questions.get(&*self.resource.uid);
        let question = question.map(Waiting::state);
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
            control: self.control,
            question,
            awaited: self.awaited,
            endpoint_replaced,
            proxied: false,
            due: remembered.due(mono),
            refused_for,
            restore_wait: remembered.restore_wait(mono),
            newcomer_wait: remembered.newcomer_wait(mono),
            leftovers_note: remembered.leftovers.note(mono),
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
        let before = std::mem::replace(&mut self.view.source, source.observed());
        let index = &mut world.process.index;
        index.record(NAMESPACE, &name, &before, &self.view.source);
        let answered = world.process.questions.get(&*self.resource.uid);
        let answered = answered.filter(|it| Some(it.fingerprint) == fingerprint(&source));
        self.answers
            .extend(answered.into_iter().flat_map(Waiting::answers));
        self.source = Some(source);
        Ok(())
    }

    pub(super) fn read_target(&mut self, world: &mut World, name: &str) -> Result<(), Broken> {
        world.request(format!("get {name}"))?;
        let target = match read(world, name) {
            None => Target::Absent,
            Some((secret, seen)) => Target::Found(Box::new(FoundTarget::new(secret, seen))),
        };
        self.saw(world, name, &target.observed());
        self.targets.retain(|(read, _)| read != name);
        self.targets.push((name.to_owned(), target));
        Ok(())
    }

    pub(super) fn saw(&mut self, world: &mut World, name: &str, sight: &Observed) {
        let slot = if name == self.resource.target {
            &mut self.view.target
        } else {
            &mut self.view.published
        };
        let before = std::mem::replace(slot, sight.clone());
        let index = &mut world.process.index;
        index.record(NAMESPACE, name, &before, sight);
    }

    fn ask(&mut self, world: &mut World, query: &Query) -> Result<(), Broken> {
        let Some(Source::Found(found)) = &self.source else {
            panic!("AWS is asked about a source that was not read");
        };
        let pair = found.pair.as_ref().expect("AWS is asked about a pair");
        let region = query.region.as_str();
        let questions = &mut world.process.questions;
        let before = questions.remove(&*self.resource.uid);
        if let Some(awaited) = world.aws.awaits {
            let same = |it: &Waiting| it.fingerprint == pair.fingerprint && it.answer.is_none();
            let waiting = before.filter(same).unwrap_or_else(|| Waiting {
                fingerprint: pair.fingerprint,
                pair: Arc::clone(&pair.pair),
                region: query.region.clone(),
                before: self.answers.clone(),
                answer: None,
                look: None,
            });
            questions.insert(self.resource.uid.clone(), waiting);
            self.awaited = Some(awaited);
            return Ok(());
        }
        let known = world
            .process
            .recall(pair.fingerprint, region, query.max_age, world.now);
        let answer = if let Some(answer) = known {
            answer
        } else {
            world.request(format!("ask {region}"))?;
            let answer = world.aws.ask(world.now, &query.region, &pair.pair);
            let fingerprint = pair.fingerprint;
            world.process.keep(fingerprint, region, &answer, world.now);
            answer
        };
        self.answers.push((region.to_owned(), answer));
        Ok(())
    }

    /// Sends the pairs of other accounts that are Ready to STS, until one is accepted.
    fn control_by_others(&mut self, world: &mut World, region: &Region) -> Result<(), Broken> {
        let own = self.status.identity.clone().map(|it| it.account_id);
        let mut control = Control::NoPair;
        for (name, object) in world.store.resources.clone() {
            let status = object.status.unwrap_or_default();
            let account = status.identity.map(|it| it.account_id);
            let ready = conditions::is_true(&status.conditions, ConditionType::Ready);
            let pair = world.pair_in(&object.spec.secret_ref.name);
            let Some(pair) = pair.filter(|_| name != self.name && ready && account != own) else {
                continue;
            };
            world.request(format!("ask {}", region.as_str()))?;
            control = match world.aws.ask(world.now, region, &key_pair(&pair)) {
                Answer::Identity(_) => Control::Accepted,
                Answer::Undetermined(_) | Answer::Outage(_) => Control::Undetermined,
                _ => Control::Refused,
            };
            if control == Control::Accepted {
                break;
            }
        }
        self.control = Some(control);
        Ok(())
    }

    /// The references of a resource for the index, those of its own status included.
    pub fn mentions(
        object: &StaticAwsCredentials,
    ) -> static_aws_credentials::domain::index::References {
        references(object, object.status.as_ref())
    }
}

fn fingerprint(source: &Source) -> Option<Fingerprint> {
    match source {
        Source::Found(found) => Some(found.pair.as_ref().ok()?.fingerprint),
        Source::Absent => None,
    }
}

fn read(world: &World, name: &str) -> Option<(k8s_openapi::api::core::v1::Secret, SecretVersion)> {
    let secret = world.store.secret(name)?.clone();
    let seen = SecretVersion::of(&secret.metadata)?;
    Some((secret, seen))
}
