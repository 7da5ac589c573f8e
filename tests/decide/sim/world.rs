//! Time, watches and reconciles, in the roles of the controller and the API server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use static_aws_credentials::{
    api::StaticAwsCredentialsSpec,
    domain::{
        decide::{self, Inputs as Known, Step},
        layout::DEFAULT_TTL,
        place,
        resource::key_of,
        verdict::Finding,
    },
};

use super::{
    Aws, Event, NAMESPACE, Pair, SOURCE, Store, alpha, beta,
    faults::Faults,
    process::Process,
    resource,
    run::{Interrupted, mentions, run},
};

/// 2026-01-01.
const START: i64 = 1_767_225_600;

/// The state of the whole world.
#[derive(Clone)]
pub struct World {
    pub store: Store,
    pub aws: Aws,
    pub process: Process,
    /// Time since the beginning, independent of the wall clock.
    pub now: Duration,
    pub wall_shift: SignedDuration,
    pub clock_jumped: bool,
    pub jitter: f64,
    pub endpoint_replaced: bool,
    /// The operator's `--credential-process-ttl`.
    pub credential_process_ttl: u32,
    /// Labels that are copied from resources to targets.
    pub copied_labels: Vec<String>,
    /// Whether a superseded pair is followed, as the chart has it by default.
    pub lists_consumers: bool,
    /// Access key IDs that were published without a call to STS, at level Format.
    pub vouched: BTreeSet<String>,
    /// The classes, by name.
    pub classes: BTreeMap<String, Result<Arc<place::Store>, Finding>>,
    /// Faults of requests.
    pub faults: Faults,
    /// The other replica, with its own memory and its own position in the events.
    pub other: Option<Box<Process>>,
    /// The decision function. Tests replace it to break it on purpose, or to count the decisions.
    pub decide: fn(&Known<'_>) -> Step,
    /// The requests since the log was last cleared.
    pub log: Vec<String>,
    base: Instant,
}

impl World {
    /// A process and AWS, and no objects.
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
            lists_consumers: false,
            vouched: BTreeSet::new(),
            classes: BTreeMap::new(),
            faults: Faults::default(),
            other: None,
            decide: decide::decide,
            log: Vec::new(),
            base: Instant::now(),
        }
    }

    /// The resource `orders`, which has verified and published the pair `alpha`.
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

    /// A target whose source is deleted, and one whose source holds a rejected pair.
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

    /// The time of the wall clock, in whole seconds.
    pub fn wall(&self) -> Timestamp {
        let start = Timestamp::from_second(START).expect("the start is a time");
        let wall = start + SignedDuration::from_secs(self.now.as_secs().cast_signed());
        wall + self.wall_shift
    }

    /// The monotonic clock.
    pub fn mono(&self) -> Instant {
        self.base + self.now
    }

    /// Delivers the next event of the watch. Returns whether there was one.
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
                let state = process
                    .remembered
                    .get_mut(&object.uid().unwrap_or_default());
                let version = object.metadata.resource_version.as_deref();
                let version = version.and_then(|version| version.parse().ok());
                let is_own = state.zip(version).is_some_and(|(state, version)| {
                    let is_own = state.wrote(version);
                    state.observed(version);
                    is_own
                });
                let before = index.view(&key_of(object));
                process
                    .watched
                    .insert(object.name_any(), (**object).clone());
                let woken = index.apply_resource(&key_of(object), mentions(object));
                if !is_own || before != index.view(&key_of(object)) {
                    process.woken.insert(object.name_any());
                }
                woken
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

    /// Reconciles a resource once, with the events that the watch has delivered so far.
    pub fn run(&mut self, name: &str) {
        self.process.woken.remove(name);
        self.process.timers.remove(name);
        let Some(object) = self.process.watched.get(name).cloned() else {
            return;
        };
        let uid = object.uid().unwrap_or_default();
        match run(self, &object) {
            Ok(pause) => {
                if let Some(pause) = pause {
                    self.process
                        .timers
                        .insert(name.to_owned(), self.now + pause);
                }
            }
            Err(Interrupted::Conflict | Interrupted::Lost) => {
                let remembered = self.process.remembered(&uid);
                remembered.failures.credentials += 1;
                let pause =
                    Duration::from_millis(250) * (1 << remembered.failures.credentials.min(7));
                self.process
                    .timers
                    .insert(name.to_owned(), self.now + pause);
            }
            Err(Interrupted::Crash) => {
                self.faults.crash_after = None;
                self.restart();
            }
        }
    }

    /// Delivers all events, and reconciles until nothing is due.
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

    /// Advances the time, and reconciles when timers are due.
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

    /// AWS answers all waiting calls; then settles.
    pub fn answer(&mut self) {
        self.aws.awaits = None;
        for (uid, waiting) in &mut self.process.questions {
            if waiting.answer.is_none() {
                let answer = self.aws.ask(self.now, &waiting.place, &waiting.pair);
                waiting.answer = Some(answer);
            }
            let watched = self.process.watched.values();
            let of = watched.filter(|object| object.uid().as_ref() == Some(uid));
            self.process.woken.extend(of.map(ResourceExt::name_any));
        }
        self.settle();
    }

    /// The pause before a resource is requeued, if nothing changes.
    pub fn next_look(&self, name: &str) -> Option<Duration> {
        Some(self.process.timers.get(name)?.saturating_sub(self.now))
    }
}
