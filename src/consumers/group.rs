//! The resources that publish a superseded key too, or published it: their pods may hold the key as well.

use k8s_openapi::jiff::Timestamp;

use super::overlap::{is_given_up, not_unused};
use crate::{
    api::{MOST_NAMES, MOST_OLDER_KEYS, Previous, StaticAwsCredentialsStatus},
    index::NamespacedName,
};

/// How many other resources are named.
const NAMED: usize = 10;

/// A key as a status shows it, in 16 bytes: each resource has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    digest: u64,
    suffix: u32,
}

/// The keys of which a status speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    published: Key,
    open: Option<Box<Open>>,
}

/// Superseded keys that may still be held.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    keys: Vec<Key>,
    picked_up: i64,
    held: bool,
    traced: bool,
    given_up: bool,
}

/// What the last look at the pods of one resource showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Some hold a superseded key until they are restarted.
    Held,
    /// Some are not ready, and may hold one.
    Unsure,
    /// None holds one, but for what the clock says.
    Clean {
        /// Whether the clock had run out by then.
        settled: bool,
    },
}

/// What another resource has to do with a superseded key. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// None of its pods holds the key.
    Clean,
    /// Its target had more names, or it more keys, than are followed.
    NotTraced,
    /// Its pods may hold the key until this second.
    PickingUp(i64),
    /// Its pods were not looked at since, or are not ready.
    Unknown,
    /// It has a key that ends alike, of which nothing else is known.
    Alike,
    /// Its pods hold the key until they are restarted.
    Holds,
    /// It publishes the key.
    Publishes,
}

/// Another resource with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// What it has to do with the key.
    pub standing: Standing,
    /// Its namespace and name; none for a resource of another namespace of which only a likeness is known.
    pub name: Option<String>,
}

/// The other resources with the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// The worst ones, the worst first.
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

    /// Whether another one is the same for sure. None if it is another for sure.
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

/// The superseded keys of which a status speaks, the last one first.
#[must_use]
pub fn superseded(previous: &Previous) -> Vec<Key> {
    let last = Key::new(&previous.key_id_suffix, previous.key_digest.as_deref());
    let older = previous.older_keys.iter();
    let older = older.map(|key| Key::new(&key.key_id_suffix, key.key_digest.as_deref()));
    std::iter::once(last).chain(older).collect()
}

/// Whether every name and every key is known that has to be looked for.
#[must_use]
pub fn is_traced(previous: &Previous) -> bool {
    previous.secret_names.len() < MOST_NAMES && previous.older_keys.len() < MOST_OLDER_KEYS
}

impl Keys {
    /// The keys of which a status speaks.
    #[must_use]
    pub fn of(status: &StaticAwsCredentialsStatus) -> Self {
        let published = status.published.as_ref();
        let published =
            published.map(|one| Key::new(&one.key_id_suffix, one.key_digest.as_deref()));
        let consumers = status.consumers.as_ref();
        let held = consumers.is_some_and(|consumers| consumers.restart_needed.count > 0);
        let open = not_unused(status).map(|previous| {
            Box::new(Open {
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

    /// What the resource has to do with some keys, if anything, and its pods as they were last seen.
    #[must_use]
    pub fn standing(&self, keys: &[Key], own: Option<Own>, now: Timestamp) -> Option<Standing> {
        let compare = |mine: Key| keys.iter().filter_map(move |key| key.is_same(mine)).max();
        let publishes = compare(self.published).map(|sure| (sure, Standing::Publishes));
        let open = self.open.as_ref().and_then(|open| {
            let sure = open.keys.iter().filter_map(|key| compare(*key)).max()?;
            Some((sure, open.standing(own, now)))
        });
        let all = [publishes, open].into_iter().flatten();
        all.map(|(sure, standing)| {
            if sure || standing == Standing::Clean {
                standing
            } else {
                Standing::Alike
            }
        })
        .max()
    }
}

impl Open {
    fn standing(&self, own: Option<Own>, now: Timestamp) -> Standing {
        let waits = now.as_second() < self.picked_up;
        match own {
            _ if self.given_up => Standing::NotTraced,
            Some(Own::Held) => Standing::Holds,
            None if self.held => Standing::Holds,
            Some(Own::Clean { .. }) | None if waits => Standing::PickingUp(self.picked_up),
            Some(Own::Clean { settled: true }) if self.traced => Standing::Clean,
            Some(Own::Clean { settled: true }) => Standing::NotTraced,
            Some(Own::Unsure | Own::Clean { settled: false }) | None => Standing::Unknown,
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

    /// Takes note of another resource. Who has the same pair may know of it; a key that only ends alike may be
    /// that of a stranger.
    pub fn add(&mut self, key: &NamespacedName, of: &NamespacedName, standing: Standing) {
        let near = key.namespace == of.namespace;
        let name = (near || standing != Standing::Alike).then(|| key.to_string());
        let least = self.worst.last().filter(|_| self.worst.len() >= NAMED);
        if least.is_some_and(|least| least.standing >= standing) {
            return;
        }
        let at = self.worst.partition_point(|one| one.standing >= standing);
        self.worst.insert(at, Other { standing, name });
        self.worst.truncate(NAMED);
    }

    /// The worst of them.
    #[must_use]
    pub fn worst(&self) -> Standing {
        let worst = self.worst.first();
        worst.map_or(Standing::Clean, |worst| worst.standing)
    }

    /// Whether the key cannot be called unused on their account.
    #[must_use]
    pub fn hold_up(&self) -> bool {
        !self.listed || self.worst() > Standing::NotTraced
    }

    /// Those that may hold the key, as far as they may be named.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.named(|standing| standing > Standing::Clean)
    }

    /// Those that are worst.
    pub(super) fn worst_names(&self) -> Vec<String> {
        let worst = self.worst();
        self.named(|standing| standing == worst)
    }

    fn named(&self, wanted: impl Fn(Standing) -> bool) -> Vec<String> {
        let wanted = self.worst.iter().filter(|one| wanted(one.standing));
        let mut names: Vec<String> = wanted.filter_map(|one| one.name.clone()).collect();
        names.sort_unstable();
        names
    }
}
