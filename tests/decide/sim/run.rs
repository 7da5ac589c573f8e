//! One reconcile of the shipped state machine: its effects on cluster and AWS, and the rules for each.

mod writes;

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use static_aws_credentials::{
    api::{ConditionType, StaticAwsCredentials},
    domain::{
        conditions,
        decide::{FoundTarget, Query, Source, Target, examine},
        index::{References, SecretVersion},
        place::Place,
        reconcile::{
            Begin, Done, Effect, Event, Failure, PendingQuestion, Progress, Reconcile, Settings,
            Surroundings,
        },
        resource::{ValidatedCredentials, copied, references},
        verdict::{Answer, Control},
    },
};

use super::{World, build::key_pair, process::Waiting, store::NAMESPACE};

/// Why a reconcile did not complete.
#[derive(Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// Another writer was first.
    Conflict,
    /// A write was stored, and its response was lost.
    Lost,
    /// The process ended.
    Crash,
}

/// A reconcile in progress.
pub struct Run<'a> {
    pub name: String,
    pub reconcile: Reconcile<'a>,
}

/// Reconciles, and returns the pause before the next reconcile.
pub fn run(
    world: &mut World,
    object: &StaticAwsCredentials,
) -> Result<Option<Duration>, Interrupted> {
    let resource = ValidatedCredentials {
        credential_process_ttl: world.credential_process_ttl,
        copied_labels: copied(object, &world.copied_labels),
        ..ValidatedCredentials::parse(object).expect("the spec is valid")
    };
    let class = object.spec.class_ref.as_ref();
    let class = class.and_then(|class| world.classes.get(&class.name).cloned());
    let resource = ValidatedCredentials {
        class: class.or(resource.class),
        ..resource
    };
    let begin = surrounded(world, &resource, |around| {
        Begin::new(object, &resource, around)
    });
    let waiting = world.process.questions.get_mut(&*resource.uid);
    if let Some(waiting) = waiting.filter(|_| begin.leftovers_due) {
        waiting.look = None;
    }
    let after = &begin.leftovers_after;
    let view = world.process.index.view_after(&resource.key, after);
    let settings = Settings {
        decide: world.decide,
        endpoint_replaced: world.endpoint_replaced,
        proxied: false,
        lists_consumers: world.lists_consumers,
        restarts_consumers: false,
        kubelet_sync_period: Duration::from_secs(90),
        jitter: world.jitter,
    };
    let mut run = Run {
        name: object.name_any(),
        reconcile: Reconcile::new(begin, view, &resource, None, settings),
    };
    let mut event = Event::Begun;
    loop {
        event = match run.step(world, event) {
            ControlFlow::Continue(effect) => run.perform(world, effect)?,
            ControlFlow::Break(Ok(done)) => return Ok(run.end(world, done)),
            ControlFlow::Break(Err(Failure::Contended(_))) => return Err(Interrupted::Conflict),
            ControlFlow::Break(Err(Failure::DecisionLimit)) => {
                panic!("the decision about {} never ends", run.name)
            }
        }
    }
}

/// The references of a resource for the index, those of its own status included.
pub fn mentions(object: &StaticAwsCredentials) -> References {
    references(object, object.status.as_ref())
}

fn surrounded<T>(
    world: &mut World,
    resource: &ValidatedCredentials,
    with: impl FnOnce(&mut Surroundings<'_>) -> T,
) -> T {
    let (wall, now) = (world.wall(), world.mono());
    let question = world.process.questions.get(&*resource.uid);
    let question = question.map(Waiting::state);
    let epoch = world.process.index.epoch();
    with(&mut Surroundings {
        state: world.process.remembered(&resource.uid),
        question,
        epoch,
        wall,
        now,
    })
}

impl Run<'_> {
    fn step(&mut self, world: &mut World, event: Event) -> Progress {
        let resource = self.reconcile.resource();
        let reconcile = &mut self.reconcile;
        let effect = surrounded(world, resource, |around| reconcile.step(event, around));
        for seen in self.reconcile.take_observations() {
            let index = &mut world.process.index;
            let concerned = index.record(NAMESPACE, &seen.name, &seen.before, &seen.after);
            let others = concerned.iter().filter(|key| **key != resource.key);
            let others = others.map(|key| key.name.to_string());
            world.process.woken.extend(others);
        }
        effect
    }

    fn perform(&mut self, world: &mut World, effect: Effect) -> Result<Event, Interrupted> {
        Ok(match effect {
            Effect::ReadSource => self.read_source(world)?,
            Effect::ReadTarget(name) => read_target(world, name)?,
            Effect::Ask(query) => self.ask(world, &query)?,
            Effect::Control(place) => self.control_by_others(world, &place)?,
            Effect::Confirm => self.confirm(world)?,
            Effect::Write(change) => Event::Written(self.write(world, &change)?),
            Effect::Remove(leftover) => Event::Removed(self.remove(world, &leftover)?),
            Effect::WriteStatus(status) => self.write_status(world, status)?,
        })
    }

    fn read_source(&self, world: &mut World) -> Result<Event, Interrupted> {
        let resource = self.reconcile.resource();
        let name = &resource.source.name;
        world.request(format!("get {name}"))?;
        let source = match read(world, name) {
            None => Source::Absent,
            Some((secret, seen)) => {
                Source::Found(examine(secret, seen, resource, &world.process.key))
            }
        };
        let fingerprint = source.pair().map(|pair| pair.fingerprint);
        let answered = world.process.questions.get(&*resource.uid);
        let answered = answered.filter(|it| Some(it.fingerprint) == fingerprint);
        let answers = answered.map(Waiting::answers).unwrap_or_default();
        Ok(Event::Source(source, answers))
    }

    fn ask(&self, world: &mut World, query: &Query) -> Result<Event, Interrupted> {
        let pair = self.reconcile.pair().expect("AWS is asked about a pair");
        let uid = &self.reconcile.resource().uid;
        let place = &query.place.key();
        let questions = &mut world.process.questions;
        let before = questions.remove(&**uid);
        if let Some(awaited) = world.aws.awaits {
            let same = |it: &Waiting| it.fingerprint == pair.fingerprint && it.answer.is_none();
            let waiting = before.filter(same).unwrap_or_else(|| Waiting {
                fingerprint: pair.fingerprint,
                pair: Arc::clone(&pair.pair),
                place: query.place.clone(),
                before: self.reconcile.answers().to_vec(),
                answer: None,
                look: None,
            });
            questions.insert(uid.clone(), waiting);
            return Ok(Event::Awaits(awaited));
        }
        let known = world
            .process
            .recall(pair.fingerprint, place, query.max_age, world.now);
        let answer = if let Some(answer) = known {
            answer
        } else {
            world.request(format!("ask {place}"))?;
            let answer = world.aws.ask(world.now, &query.place, &pair.pair);
            let fingerprint = pair.fingerprint;
            world.process.keep(fingerprint, place, &answer, world.now);
            answer
        };
        Ok(Event::Answer(place.clone(), answer))
    }

    /// Sends the pairs of other accounts that are Ready to STS, until one is accepted.
    fn control_by_others(&self, world: &mut World, place: &Place) -> Result<Event, Interrupted> {
        let own = self.reconcile.status().identity.clone();
        let own = own.map(|it| it.account_id);
        let mut control = Control::NoPair;
        for (name, object) in world.store.resources.clone() {
            let status = object.status.unwrap_or_default();
            let account = status.identity.map(|it| it.account_id);
            let ready = conditions::is_true(&status.conditions, ConditionType::Ready);
            let pair = world.pair_in(&object.spec.secret_ref.name);
            // A store names no account, and the other resource stands for one of another namespace.
            let is_other = account != own || place.store().is_some();
            let Some(pair) = pair.filter(|_| name != self.name && ready && is_other) else {
                continue;
            };
            world.request(format!("ask {}", place.key()))?;
            control = match world.aws.ask(world.now, place, &key_pair(&pair)) {
                Answer::Identity(_) | Answer::Authenticated => Control::Accepted,
                Answer::Undetermined(_) | Answer::Outage(_) => Control::Undetermined,
                _ => Control::Refused,
            };
            if control == Control::Accepted {
                break;
            }
        }
        Ok(Event::Control(control))
    }

    fn end(&self, world: &mut World, done: Done) -> Option<Duration> {
        let (reconcile, resource) = (&self.reconcile, self.reconcile.resource());
        let look = reconcile.inputs_hash();
        let status = reconcile.status().clone();
        let seen = (resource.generation, reconcile.known(), status);
        world.process.looks.insert(format!("{look:?}"), seen);
        let questions = &mut world.process.questions;
        match done.question {
            PendingQuestion::Keep => {}
            PendingQuestion::Await(look) => {
                if let Some(waiting) = questions.get_mut(&*resource.uid) {
                    waiting.look = look;
                }
            }
            PendingQuestion::Cancel => {
                questions.remove(&*resource.uid);
            }
        }
        done.pause.map(|(pause, _)| pause)
    }
}

fn read_target(world: &mut World, name: String) -> Result<Event, Interrupted> {
    world.request(format!("get {name}"))?;
    let target = match read(world, &name) {
        None => Target::Absent,
        Some((secret, seen)) => Target::Found(Box::new(FoundTarget::new(secret, seen))),
    };
    Ok(Event::Target(name, target))
}

fn read(world: &World, name: &str) -> Option<(Secret, SecretVersion)> {
    let secret = world.store.secret(name)?.clone();
    let seen = SecretVersion::of(&secret.metadata)?;
    Some((secret, seen))
}
