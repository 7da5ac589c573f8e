//! Time, watches and runs, as the controller and the API server bring them together.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use static_aws_credentials::{
    api::StaticAwsCredentialsSpec,
    domain::{
        decide::{self, Inputs as Known, Step},
        layout::DEFAULT_TTL,
        resource::key_of,
    },
};
use tokio::time::Instant;

use super::{
    Aws, Event, NAMESPACE, Pair, SOURCE, Store, alpha, beta,
    fate::Fate,
    process::Process,
    resource,
    run::{Broken, Run},
};

/// 2026-01-01.
const START: i64 = 1_767_225_600;

/// Everything.
#[derive(Clone)]
pub struct World {
    pub store: Store,
    pub aws: Aws,
    pub process: Process,
    /// Time since the beginning, as no clock can falsify it.
    pub now: Duration,
    pub wall_shift: SignedDuration,
    pub clock_jumped: bool,
    pub jitter: f64,
    pub endpoint_replaced: bool,
    /// The operator's setting.
    pub credential_process_ttl: u32,
    /// Labels that targets get from their resources.
    pub copied_labels: Vec<String>,
    /// Access key IDs that were published without a question, at level Format.
    pub vouched: BTreeSet<String>,
    /// What goes wrong with requests.
    pub fate: Fate,
    /// Another replica, which has no effects but hears what its watches say.
    pub other: Option<Box<Process>>,
    /// What decides. Only a test that breaks it on purpose puts another in its place.
    pub decide: fn(&Known<'_>) -> Step,
    /// Requests that were made.
    pub log: Vec<String>,
    base: Instant,
}

impl World {
    /// Nothing but a process and AWS.
    pub fn new() -> Self {
        Self {
            store: Store::default(),
            aws: Aws::new(),
            process: Process::new(),
            now: Duration::ZERO,
            wall_shift: SignedDuration::ZERO,
            clock_jumped: false,
            jitter: 0.5,
            endpoint_replaced: false,
            credential_process_ttl: DEFAULT_TTL,
            copied_labels: Vec::new(),
            vouched: BTreeSet::new(),
            fate: Fate::default(),
            other: None,
            decide: decide::decide,
            log: Vec::new(),
            base: Instant::now(),
        }
    }

    /// The resource `orders`, whose pair `alpha` is proven and published.
    pub fn published() -> Self {
        Self::published_with(|_| {})
    }

    /// The same with another spec.
    pub fn published_with(change: impl FnOnce(&mut StaticAwsCredentialsSpec)) -> Self {
        let mut world = Self::new();
        world.fill(SOURCE, &alpha());
        let mut orders = resource("orders");
        change(&mut orders.spec);
        world.store.apply(orders);
        world.settle();
        world.log.clear();
        world
    }

    /// A target whose source is gone since, and one whose source holds a pair that is refused.
    pub fn published_without_a_proven_source() -> [Self; 2] {
        let spoil: [fn(&mut Self); 2] = [
            |world| world.store.delete(SOURCE, None).unwrap(),
            |world| world.fill(SOURCE, &beta().with_wrong_secret()),
        ];
        spoil.map(|spoil| {
            let mut world = Self::published();
            spoil(&mut world);
            world.settle();
            world
        })
    }

    /// A person puts a pair into a Secret.
    pub fn fill(&mut self, name: &str, pair: &Pair) {
        self.store
            .edit(name, |secret| secret.data = Some(pair.data()));
    }

    /// A person changes the spec of `orders`.
    pub fn respecify(&mut self, change: impl FnOnce(&mut StaticAwsCredentialsSpec)) {
        let mut orders = self.store.resources["orders"].clone();
        change(&mut orders.spec);
        self.store.apply(orders);
    }

    /// What the wall clock says, in whole seconds.
    pub fn wall(&self) -> Timestamp {
        let start = Timestamp::from_second(START).expect("the start is a time");
        let wall = start + SignedDuration::from_secs(self.now.as_secs().cast_signed());
        wall + self.wall_shift
    }

    /// The clock that only goes forward.
    pub fn mono(&self) -> Instant {
        self.base + self.now
    }

    /// The watch says the next thing.
    pub fn deliver(&mut self) -> bool {
        let process = &mut self.process;
        let Some(event) = process.next_event(&self.store) else {
            return false;
        };
        let index = &mut process.index;
        let woken = match &*event {
            Event::Secret(name, seen) => index.apply_secret(NAMESPACE, name, seen.clone()),
            Event::SecretGone(name, version) => index.delete_secret(NAMESPACE, name, *version),
            Event::Resource(object) => {
                process.woken.insert(object.name_any());
                process
                    .watched
                    .insert(object.name_any(), (**object).clone());
                index.apply_resource(&key_of(object), Run::mentions(object))
            }
            Event::ResourceGone(object) => {
                process.remembered.remove(&object.uid().unwrap_or_default());
                process.watched.remove(&object.name_any());
                index.delete_resource(&key_of(object))
            }
        };
        process
            .woken
            .extend(woken.into_iter().map(|key| key.name.to_string()));
        true
    }

    /// One run of one resource, with what the watch has said so far.
    pub fn run(&mut self, name: &str) {
        self.process.woken.remove(name);
        self.process.timers.remove(name);
        let Some(object) = self.process.watched.get(name).cloned() else {
            return;
        };
        let uid = object.uid().unwrap_or_default();
        match Run::new(self, &object).go(self) {
            Ok(pause) => {
                if let Some(pause) = pause {
                    self.process
                        .timers
                        .insert(name.to_owned(), self.now + pause);
                }
            }
            Err(Broken::Conflict | Broken::Lost) => {
                let remembered = self.process.remembered(&uid);
                remembered.failures += 1;
                let pause = Duration::from_millis(250) * (1 << remembered.failures.min(7));
                self.process
                    .timers
                    .insert(name.to_owned(), self.now + pause);
            }
            Err(Broken::Crash) => {
                self.fate.crash_after = None;
                self.restart();
            }
        }
    }

    /// Everything that is due now happens.
    pub fn settle(&mut self) {
        for _ in 0..500 {
            while self.deliver() {}
            let due = |(name, at): (&String, &Duration)| (*at <= self.now).then(|| name.clone());
            let due: Vec<String> = self.process.timers.iter().filter_map(due).collect();
            self.process.woken.extend(due);
            let Some(name) = self.process.woken.first().cloned() else {
                return;
            };
            self.run(&name);
        }
        panic!("it never settles: {:?}", self.log);
    }

    /// Time passes, and what falls due meanwhile happens when it does.
    pub fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.settle();
        while let Some(next) = self
            .process
            .timers
            .values()
            .min()
            .copied()
            .filter(|at| *at <= end)
        {
            self.now = next.max(self.now);
            self.settle();
        }
        self.now = end;
    }

    /// AWS answers what waits, and everything that follows happens.
    pub fn answer(&mut self) {
        self.aws.awaits = None;
        for (uid, waiting) in &mut self.process.questions {
            if waiting.answer.is_none() {
                let answer = self.aws.ask(self.now, &waiting.region, &waiting.pair);
                waiting.answer = Some(answer);
            }
            let watched = self.process.watched.values();
            let of = watched.filter(|object| object.uid().as_ref() == Some(uid));
            self.process.woken.extend(of.map(ResourceExt::name_any));
        }
        self.settle();
    }

    /// When a resource is looked at again, if nothing changes.
    pub fn next_look(&self, name: &str) -> Option<Duration> {
        Some(self.process.timers.get(name)?.saturating_sub(self.now))
    }
}
