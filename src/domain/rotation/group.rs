//! Other resources that publish a previous key, or published it: their pods may hold the key as well.

use k8s_openapi::jiff::Timestamp;

use super::{
    names::MAX_NAMED,
    overlap::{is_given_up, not_unused},
};
use crate::{
    api::{MOST_NAMES, MOST_OLDER_KEYS, Previous, StaticAwsCredentialsStatus},
    domain::index::NamespacedName,
};

/// A key as a status identifies it, in 16 bytes: each resource has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    digest: u64,
    suffix: u32,
}

/// The keys that a status mentions: the published one, and previous ones that may still be held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    published: Key,
    open: Option<Box<PreviousKeys>>,
}

/// Previous keys that pods may still hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PreviousKeys {
    keys: Vec<Key>,
    picked_up: i64,
    held: bool,
    traced: bool,
    given_up: bool,
}

/// What the last check of the pods of one resource found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Pods hold a previous key until they are restarted.
    Held,
    /// Pods are not ready, and may hold a previous key.
    Unsure,
    /// After the pick-up time, no pod holds a previous key.
    Clean {
        /// Whether the pick-up time had passed at the check.
        settled: bool,
    },
}

/// How another resource relates to a previous key, the worst relation last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// None of its pods holds the key.
    Clean,
    /// Its target had more names, or the resource more keys, than are followed.
    NotTraced,
    /// Its pods may hold the key until this Unix time.
    PickingUp(i64),
    /// Its pods were not checked since the pick-up time, or are not ready.
    Unknown,
    /// It has a key with the same suffix, and a digest is missing for a comparison.
    Alike,
    /// Its pods hold the key until they are restarted.
    Holds,
    /// It publishes the key.
    Publishes,
}

/// Another resource with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its relation to the key.
    pub relation: Relation,
    /// Its namespace and name; none for a resource of another namespace that is only known to share the suffix.
    pub name: Option<String>,
}

/// The other resources with the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// The worst ones, 10 at most, the worst first.
    worst: Vec<Other>,
    /// Whether all resources that the operator serves are known.
    pub listed: bool,
    /// Whether the operator serves all namespaces.
    pub everywhere: bool,
}

impl Key {
    /// The key with this suffix and digest.
    #[must_use]
    pub fn new(suffix: &str, digest: Option<&str>) -> Self {
        let digest = digest.and_then(|digest| digest.get(..16));
        let digest = digest.and_then(|digest| u64::from_str_radix(digest, 16).ok());
        let bytes = suffix.bytes().take(4);
        Self {
            digest: digest.unwrap_or_default(),
            suffix: bytes.fold(0, |all, byte| all << 8 | u32::from(byte)),
        }
    }

    /// `Some(true)` if both are surely the same key, `Some(false)` if they may be, `None` if they differ.
    #[must_use]
    pub fn is_same(self, other: Self) -> Option<bool> {
        if self.suffix != other.suffix || self.suffix == 0 {
            return None;
        }
        if self.digest == 0 || other.digest == 0 {
            return Some(false);
        }
        (self.digest == other.digest).then_some(true)
    }
}

/// The previous keys that a status mentions, the last one first.
#[must_use]
pub fn superseded(previous: &Previous) -> Vec<Key> {
    let last = Key::new(&previous.key_id_suffix, previous.key_digest.as_deref());
    let older = previous.older_keys.iter();
    let older = older.map(|key| Key::new(&key.key_id_suffix, key.key_digest.as_deref()));
    std::iter::once(last).chain(older).collect()
}

/// Whether the lists of names and older keys are complete: a full list may have been cut off.
#[must_use]
pub fn is_traced(previous: &Previous) -> bool {
    previous.secret_names.len() < MOST_NAMES && previous.older_keys.len() < MOST_OLDER_KEYS
}

impl Keys {
    /// The keys that a status mentions.
    #[must_use]
    pub fn of(status: &StaticAwsCredentialsStatus) -> Self {
        let published = status.published.as_ref();
        let published =
            published.map(|one| Key::new(&one.key_id_suffix, one.key_digest.as_deref()));
        let consumers = status.consumers.as_ref();
        let held = consumers.is_some_and(|consumers| consumers.restart_needed.count > 0);
        let open = not_unused(status).map(|previous| {
            Box::new(PreviousKeys {
                keys: superseded(previous),
                picked_up: previous.picked_up_time.0.as_second(),
                held,
                traced: is_traced(previous),
                given_up: is_given_up(status),
            })
        });
        Self {
            published: published.unwrap_or_default(),
            open,
        }
    }

    /// How the resource relates to some keys, if at all; `own` is the result of the last check of its pods.
    #[must_use]
    pub fn relation(&self, keys: &[Key], own: Option<Own>, now: Timestamp) -> Option<Relation> {
        let compare = |own_key: Key| {
            keys.iter()
                .filter_map(move |key| key.is_same(own_key))
                .max()
        };
        let publishes = compare(self.published).map(|is_certain| (is_certain, Relation::Publishes));
        let open = self.open.as_ref().and_then(|open| {
            let is_certain = open.keys.iter().filter_map(|key| compare(*key)).max()?;
            Some((is_certain, open.relation(own, now)))
        });
        let all = [publishes, open].into_iter().flatten();
        all.map(|(is_certain, relation)| {
            if is_certain || relation == Relation::Clean {
                relation
            } else {
                Relation::Alike
            }
        })
        .max()
    }
}

impl PreviousKeys {
    fn relation(&self, own: Option<Own>, now: Timestamp) -> Relation {
        let is_picking_up = now.as_second() < self.picked_up;
        match own {
            _ if self.given_up => Relation::NotTraced,
            Some(Own::Held) => Relation::Holds,
            None if self.held => Relation::Holds,
            Some(Own::Clean { .. }) | None if is_picking_up => Relation::PickingUp(self.picked_up),
            Some(Own::Clean { settled: true }) if self.traced => Relation::Clean,
            Some(Own::Clean { settled: true }) => Relation::NotTraced,
            Some(Own::Unsure | Own::Clean { settled: false }) | None => Relation::Unknown,
        }
    }
}

impl Others {
    /// No other resource yet.
    #[must_use]
    pub fn new(everywhere: bool) -> Self {
        Self {
            worst: Vec::new(),
            listed: true,
            everywhere,
        }
    }

    /// Adds another resource. A resource that surely has the same pair is always named; one that only shares the
    /// suffix may belong to a stranger, and is named within the namespace alone.
    pub fn add(&mut self, key: &NamespacedName, resource: &NamespacedName, relation: Relation) {
        let same_namespace = key.namespace == resource.namespace;
        let name = (same_namespace || relation != Relation::Alike).then(|| key.to_string());
        let mildest = self.worst.last().filter(|_| self.worst.len() >= MAX_NAMED);
        if mildest.is_some_and(|mildest| mildest.relation >= relation) {
            return;
        }
        let position = self.worst.partition_point(|one| one.relation >= relation);
        self.worst.insert(position, Other { relation, name });
        self.worst.truncate(MAX_NAMED);
    }

    /// The worst relation.
    #[must_use]
    pub fn worst(&self) -> Relation {
        let worst = self.worst.first();
        worst.map_or(Relation::Clean, |worst| worst.relation)
    }

    /// Whether the key cannot be called unused because of these resources.
    #[must_use]
    pub fn hold_up(&self) -> bool {
        !self.listed || self.worst() > Relation::NotTraced
    }

    /// The resources that may hold the key, as far as they may be named.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.named(|relation| relation > Relation::Clean)
    }

    /// The resources with the worst relation.
    pub(super) fn worst_names(&self) -> Vec<String> {
        let worst = self.worst();
        self.named(|relation| relation == worst)
    }

    fn named(&self, wanted: impl Fn(Relation) -> bool) -> Vec<String> {
        let wanted = self.worst.iter().filter(|one| wanted(one.relation));
        let mut names: Vec<String> = wanted.filter_map(|one| one.name.clone()).collect();
        names.sort_unstable();
        names
    }
}
