//! The state of one process, which is lost when the process ends.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use static_aws_credentials::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        decide::{InputsHash, Question},
        fingerprint::{Fingerprint, FingerprintKey},
        index::{Index, View},
        pair::KeyPair,
        place::Place,
        reconcile::RuntimeState,
        verdict::Answer,
    },
};

use super::{
    build::{Pair, key_pair, universe},
    store::{Event, Store},
};

/// How long a rejection is cached.
const REFUSED_FOR: Duration = Duration::from_millis(1500);

/// The inputs of a finished reconcile: generation, Secrets and status.
pub type Seen = (i64, View, StaticAwsCredentialsStatus);

/// A call to STS that waits without a reconcile.
#[derive(Clone)]
pub struct Waiting {
    pub fingerprint: Fingerprint,
    pub pair: Arc<KeyPair>,
    pub place: Place,
    pub before: Vec<(String, Answer)>,
    pub answer: Option<Answer>,
    pub look: Option<InputsHash>,
}

impl Waiting {
    pub fn state(&self) -> Question {
        let open = Question::Open(self.look);
        self.answer.as_ref().map_or(open, |_| Question::Answered)
    }

    pub fn answers(&self) -> Vec<(String, Answer)> {
        let place = self.place.key();
        let last = self.answer.clone().map(|answer| (place, answer));
        let before = last.is_some().then(|| self.before.clone());
        before.into_iter().flatten().chain(last).collect()
    }
}

/// The memory of one process.
#[derive(Clone)]
pub struct Process {
    pub index: Index,
    pub remembered: HashMap<String, RuntimeState>,
    pub key: Rc<FingerprintKey>,
    /// The pair of each fingerprint.
    pub pairs: Rc<HashMap<Fingerprint, Pair>>,
    pub replies: HashMap<(Fingerprint, String), (Answer, Duration)>,
    /// Waiting calls, by the UID of their resource.
    pub questions: HashMap<String, Waiting>,
    /// Resources as the watch has delivered them.
    pub watched: BTreeMap<String, StaticAwsCredentials>,
    /// Enqueued resources.
    pub woken: BTreeSet<String>,
    /// When resources are requeued.
    pub timers: BTreeMap<String, Duration>,
    /// The inputs behind the hashes in the memory of resources.
    pub looks: HashMap<String, Seen>,
    delivered: usize,
    /// Events of Secrets before this one are covered by a list, and not delivered.
    listed: usize,
}

impl Process {
    /// A process with an empty memory.
    pub fn new() -> Self {
        let key = FingerprintKey::random().expect("there is randomness");
        let pairs = universe().into_iter();
        let pairs = pairs.flat_map(|pair| [pair.clone(), pair.with_wrong_secret()]);
        let pairs = pairs.map(|pair| (key.of(&key_pair(&pair), &[]), pair));
        Self {
            pairs: Rc::new(pairs.collect()),
            index: Index::default(),
            remembered: HashMap::new(),
            key: Rc::new(key),
            replies: HashMap::new(),
            questions: HashMap::new(),
            watched: BTreeMap::new(),
            woken: BTreeSet::new(),
            timers: BTreeMap::new(),
            looks: HashMap::new(),
            delivered: 0,
            listed: 0,
        }
    }

    /// The events that the watches of this process have not delivered yet.
    pub fn untold<'a>(&self, store: &'a Store) -> impl Iterator<Item = &'a Rc<Event>> {
        let listed = self.listed;
        let rest = store.events.iter().enumerate().skip(self.delivered);
        rest.filter(move |(at, event)| *at >= listed || !event.is_of_a_secret())
            .map(|(_, event)| event)
    }

    /// The next event of a watch.
    pub fn next_event(&mut self, store: &Store) -> Option<Rc<Event>> {
        loop {
            let event = store.events.get(self.delivered)?;
            self.delivered += 1;
            if self.delivered > self.listed || !event.is_of_a_secret() {
                return Some(Rc::clone(event));
            }
        }
    }

    /// A list covers the events of Secrets that were not delivered yet.
    pub fn has_listed_secrets(&mut self, store: &Store) {
        self.listed = store.events.len();
    }

    /// Lists cover all events that were not delivered yet.
    pub fn has_listed_all(&mut self, store: &Store) {
        self.delivered = store.events.len();
    }

    /// The state of a resource in memory.
    pub fn remembered(&mut self, uid: &str) -> &mut RuntimeState {
        self.remembered.entry(uid.to_owned()).or_default()
    }

    /// A cached answer, which all resources with the pair share.
    pub fn recall(
        &self,
        fingerprint: Fingerprint,
        region: &str,
        max_age: Duration,
        now: Duration,
    ) -> Option<Answer> {
        let (answer, at) = self.replies.get(&(fingerprint, region.to_owned()))?;
        let age = now.saturating_sub(*at);
        let stands = !answer.is_refusal() || age <= REFUSED_FOR;
        (age <= max_age && stands).then(|| answer.clone())
    }

    /// Caches a conclusive answer.
    pub fn keep(&mut self, fingerprint: Fingerprint, region: &str, answer: &Answer, now: Duration) {
        if answer.undetermined().is_none() {
            let key = (fingerprint, region.to_owned());
            self.replies.insert(key, (answer.clone(), now));
        }
    }
}
