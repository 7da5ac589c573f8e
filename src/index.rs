//! Which resource cares about which Secret, and the UID and version last seen of it.
//!
//! Synchronous and without a client. Of a Secret it keeps what a decision needs and nothing else,
//! and only while some resource mentions its name or it carries the marks of one.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

mod names;
mod namespace;
mod orphans;
mod sight;

use namespace::{Contest, Namespace, entry};
use orphans::Orphans;

pub use names::{Mentions, ResourceKey};
pub use orphans::{MOST as MOST_UNCLAIMED, MOST_IN_A_NAMESPACE as MOST_UNCLAIMED_IN_A_NAMESPACE};
pub use sight::{Seen, Sight};

/// How many leftovers one run takes away. Their deletion brings the next ones into view, and a run that
/// could not delete all of them makes the next one begin after them.
pub const MOST_STRAYS: usize = 16;

/// What the index knows that concerns one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// The source.
    pub source: Sight,
    /// The Secret of the target's name.
    pub target: Sight,
    /// The published Secret, where it has another name than the target.
    pub published: Sight,
    /// Secrets that carry both marks of the resource under any other name: [`MOST_STRAYS`] of
    /// them, in the order of their names.
    pub strays: Vec<(String, Seen)>,
    /// A resource that wants the same target and comes first.
    pub rival: Option<String>,
}

/// The index of one scope: a namespace, or the cluster.
#[derive(Clone, Debug, Default)]
pub struct Index {
    namespaces: HashMap<Arc<str>, Namespace>,
    orphans: Orphans,
    rewinds: u64,
}

impl Index {
    /// A resource as it stands in the cluster now. Returns the others whose rival is another one than
    /// before, or none.
    pub fn apply_resource(&mut self, key: &ResourceKey, mentions: Mentions) -> Vec<ResourceKey> {
        let target = Arc::clone(&mentions.target);
        let waiting = self.orphans.take(&key.namespace, &mentions.uid);
        let kept = self.namespaces.get_key_value(&*key.namespace);
        let name = kept.map_or_else(|| Arc::clone(&key.namespace), |(name, _)| Arc::clone(name));
        let namespace = self.namespaces.entry(Arc::clone(&name)).or_default();
        let before = namespace.target_of(&key.name);
        let targets = [Some(target), before].into_iter().flatten();
        let contests: Vec<Contest> = targets.map(|target| namespace.contest(target)).collect();
        namespace.apply(&key.name, mentions);
        for (name, seen) in waiting {
            namespace.see(&name, seen);
        }
        let content = &*namespace;
        let others = contests
            .iter()
            .flat_map(|contest| content.overtaken(contest, &key.name));
        let others: BTreeSet<_> = others.collect();
        let others = others.into_iter();
        others.map(|other| ResourceKey::of(&name, &other)).collect()
    }

    /// A resource that is gone. Returns the others whose rival is another one than before, or none.
    pub fn delete_resource(&mut self, key: &ResourceKey) -> Vec<ResourceKey> {
        let Some((namespace, content)) = entry(&mut self.namespaces, &key.namespace) else {
            return Vec::new();
        };
        let target = content.target_of(&key.name);
        let before = target.map(|target| content.contest(target));
        content.remove(&key.name);
        let others = before.map(|before| content.overtaken(&before, &key.name));
        let others = others.into_iter().flatten();
        let freed = others
            .map(|other| ResourceKey::of(&namespace, &other))
            .collect();
        if content.resources.is_empty() {
            self.namespaces.remove(&namespace);
        }
        freed
    }

    fn note_orphan(&mut self, namespace: &str, name: &str, seen: &Seen) {
        let content = self.namespaces.get(namespace);
        let owner = content.zip(seen.marked_by.as_ref());
        let knows_owner = owner.is_some_and(|(content, uid)| content.by_uid.contains_key(uid));
        let kept = content.map(|content| content.sight(name));
        if matches!(kept, Some(Sight::Present(kept)) if kept.version > seen.version) {
            return;
        }
        self.orphans.note(namespace, name, seen, knows_owner);
    }

    /// The key of a resource that is known, as it is kept here.
    #[must_use]
    pub fn known(&self, key: &ResourceKey) -> Option<ResourceKey> {
        let (namespace, content) = self.namespaces.get_key_value(&*key.namespace)?;
        let (name, _) = content.resources.get_key_value(&*key.name)?;
        Some(ResourceKey::of(namespace, name))
    }

    /// A list of Secrets begins. What is tracked now and not in it does not exist.
    pub fn begin_secrets(&mut self) {
        for tracked in self
            .namespaces
            .values_mut()
            .flat_map(|namespace| namespace.secrets.values_mut())
        {
            tracked.awaited_by_list = true;
        }
        self.orphans.clear();
    }

    /// The store was restored from a backup: what was seen of Secrets counts no more.
    pub fn rewind(&mut self) {
        self.rewinds += 1;
        self.orphans.clear();
        let namespaces = self.namespaces.values_mut();
        for tracked in namespaces.flat_map(|namespace| namespace.secrets.values_mut()) {
            tracked.sight = Sight::Unseen;
        }
    }

    /// A Secret of a list.
    pub fn list_secret(&mut self, namespace: &str, name: &str, seen: Seen) {
        self.note_orphan(namespace, name, &seen);
        let Some(content) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(tracked) = content.track(name, &seen) else {
            return;
        };
        if tracked.awaited_by_list {
            tracked.awaited_by_list = false;
            // A list is never older than what was seen before it began, unless the store was restored.
            if matches!(&tracked.sight, Sight::Present(kept) if kept.version > seen.version) {
                self.rewinds += 1;
            }
            tracked.sight = Sight::Present(seen);
        } else {
            tracked.sight.advance(seen);
        }
    }

    /// A list of Secrets is complete. Returns the resources for which something changed.
    pub fn end_secrets(&mut self) -> Vec<ResourceKey> {
        let mut woken = HashSet::new();
        for (namespace, content) in &mut self.namespaces {
            for tracked in content
                .secrets
                .values_mut()
                .filter(|tracked| tracked.awaited_by_list)
            {
                tracked.awaited_by_list = false;
                tracked.sight = Sight::Absent;
            }
            let Namespace {
                secrets, strays, ..
            } = content;
            secrets.retain(|_, tracked| {
                tracked.sight.present().is_some() || !tracked.mentioned_by.is_empty()
            });
            strays.retain(|name| secrets.contains_key(name));
            woken.extend(
                content
                    .resources
                    .keys()
                    .map(|name| ResourceKey::of(namespace, name)),
            );
        }
        woken.into_iter().collect()
    }

    /// A Secret changed. Returns the resources that it concerns.
    pub fn apply_secret(&mut self, namespace: &str, name: &str, seen: Seen) -> Vec<ResourceKey> {
        self.note_orphan(namespace, name, &seen);
        let Some((namespace, content)) = entry(&mut self.namespaces, namespace) else {
            return Vec::new();
        };
        let namespace = &namespace;
        // Whose mark it loses has a stray less.
        let mut woken = content.concerned(namespace, name);
        if content.see(name, seen) {
            let concerned = content.concerned(namespace, name).into_iter();
            let further: Vec<_> = concerned.filter(|key| !woken.contains(key)).collect();
            woken.extend(further);
        }
        woken
    }

    /// A Secret is gone. Returns the resources that it concerns.
    pub fn delete_secret(&mut self, namespace: &str, name: &str, version: u64) -> Vec<ResourceKey> {
        self.orphans.forget(namespace, name);
        let Some((namespace, content)) = entry(&mut self.namespaces, namespace) else {
            return Vec::new();
        };
        let concerned = content.concerned(&namespace, name);
        if let Some(tracked) = content.secrets.get_mut(name) {
            tracked.awaited_by_list = false;
            tracked.sight.retire(version);
        }
        content.forget_if_idle(name);
        concerned
    }

    /// What this process read or wrote itself. The watch will say it again later. An absence has
    /// no version, so it counts only if nothing else was seen since `before`.
    pub fn record(&mut self, namespace: &str, name: &str, before: &Sight, now: &Sight) {
        let Some(content) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(tracked) = content.secrets.get_mut(name) else {
            return;
        };
        match now {
            // It went between the answer to the read and now: the watch knows better.
            Sight::Present(_) if tracked.sight == Sight::Absent && *before != Sight::Absent => {}
            Sight::Present(seen) => {
                tracked.awaited_by_list = false;
                tracked.sight.advance(seen.clone());
            }
            Sight::Absent if tracked.sight == *before => tracked.sight = Sight::Absent,
            Sight::Absent | Sight::Unseen => {}
        }
    }

    /// What is known that concerns a resource.
    #[must_use]
    pub fn view(&self, key: &ResourceKey) -> View {
        self.view_after(key, "")
    }

    /// The same, with the leftovers that come after a name, or the first ones if none does.
    #[must_use]
    pub fn view_after(&self, key: &ResourceKey, name: &str) -> View {
        let Some(content) = self.namespaces.get(&*key.namespace) else {
            return View::default();
        };
        let Some(mentions) = content.resources.get(&*key.name) else {
            return View::default();
        };
        let published = mentions
            .published
            .as_deref()
            .filter(|name| **name != *mentions.target);
        View {
            source: content.sight(&mentions.source),
            target: content.sight(&mentions.target),
            published: published.map_or(Sight::Unseen, |name| content.sight(name)),
            strays: content.strays(mentions, name),
            rival: content.rival(&key.name, mentions),
        }
    }

    /// How often a list was found to be older than what was seen before it.
    #[must_use]
    pub fn rewinds(&self) -> u64 {
        self.rewinds
    }

    /// How many marks of unknown resources are kept.
    #[must_use]
    pub fn unclaimed_secrets(&self) -> usize {
        self.orphans.len()
    }

    /// How many Secrets are kept.
    #[must_use]
    pub fn tracked_secrets(&self) -> usize {
        self.namespaces
            .values()
            .map(|namespace| namespace.secrets.len())
            .sum()
    }
}
