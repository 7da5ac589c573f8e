//! Which resource cares about which Secret, and the UID and version last seen of it.
//!
//! Synchronous and without a client. Of a Secret it keeps what a decision needs and nothing else,
//! and only while some resource mentions its name or it carries the marks of one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

mod names;
mod namespace;
mod orphans;
mod sight;

use namespace::{Namespace, entry};
use orphans::Orphans;

pub use names::{Mentions, ResourceKey};
pub use sight::{Seen, Sight};

/// What the index knows that concerns one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// The source.
    pub source: Sight,
    /// The Secret of the target's name.
    pub target: Sight,
    /// The published Secret, where it has another name than the target.
    pub published: Sight,
    /// Secrets that carry both marks of the resource under any other name.
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
    /// A resource as it stands in the cluster now. Returns those that wanted the same target and have
    /// a rival less now.
    pub fn apply_resource(&mut self, key: &ResourceKey, mentions: Mentions) -> Vec<ResourceKey> {
        let before = self.rivals(key);
        let namespace = self
            .namespaces
            .entry(Arc::clone(&key.namespace))
            .or_default();
        let waiting = self.orphans.take(&key.namespace, &mentions.uid);
        namespace.apply(&key.name, mentions);
        for (name, seen) in waiting {
            namespace.see(&name, seen);
        }
        let after = self.rivals(key);
        let freed = before.into_iter().filter(|rival| !after.contains(rival));
        freed.collect()
    }

    /// A resource that is gone. Returns those that wanted the same target.
    pub fn delete_resource(&mut self, key: &ResourceKey) -> Vec<ResourceKey> {
        let freed = self.rivals(key);
        if let Some(namespace) = self.namespaces.get_mut(&*key.namespace) {
            namespace.remove(&key.name);
            if namespace.resources.is_empty() {
                self.namespaces.remove(&*key.namespace);
            }
        }
        freed
    }

    fn note_orphan(&mut self, namespace: &str, name: &str, seen: &Seen) {
        let content = self.namespaces.get(namespace);
        let owner = content.zip(seen.marked_by.as_ref());
        let knows_owner = owner.is_some_and(|(content, uid)| content.by_uid.contains_key(uid));
        self.orphans.note(namespace, name, seen, knows_owner);
    }

    fn rivals(&self, key: &ResourceKey) -> Vec<ResourceKey> {
        let content = self.namespaces.get_key_value(&*key.namespace);
        let rivals = content.map(|(namespace, content)| content.rivals(namespace, &key.name));
        rivals.unwrap_or_default()
    }

    /// A resource that cannot be decoded. It still mentions what it mentioned before.
    pub fn keep_resource(&mut self, key: &ResourceKey) {
        let namespace = self.namespaces.get_mut(&*key.namespace);
        if let Some(entry) = namespace.and_then(|namespace| namespace.resources.get_mut(&*key.name))
        {
            entry.relisted = true;
        }
    }

    /// A list of resources begins.
    pub fn begin_resources(&mut self) {
        for entry in self
            .namespaces
            .values_mut()
            .flat_map(|namespace| namespace.resources.values_mut())
        {
            entry.relisted = false;
        }
    }

    /// A list of resources is complete: what was not in it is gone, and is returned.
    pub fn end_resources(&mut self) -> Vec<ResourceKey> {
        let gone = self.namespaces.iter().flat_map(|(namespace, content)| {
            let resources = content.resources.iter();
            let lost = resources.filter(|(_, entry)| !entry.relisted);
            lost.map(|(name, _)| ResourceKey::of(namespace, name))
        });
        let gone: Vec<ResourceKey> = gone.collect();
        for key in &gone {
            self.delete_resource(key);
        }
        gone
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
        let Some(content) = self.namespaces.get(&*key.namespace) else {
            return View::default();
        };
        let Some(entry) = content.resources.get(&*key.name) else {
            return View::default();
        };
        let mentions = &entry.mentions;
        let published = mentions
            .published
            .as_deref()
            .filter(|name| **name != *mentions.target);
        View {
            source: content.sight(&mentions.source),
            target: content.sight(&mentions.target),
            published: published.map_or(Sight::Unseen, |name| content.sight(name)),
            strays: content.strays(mentions),
            rival: content.rival(&key.name, mentions),
        }
    }

    /// How often a list was found to be older than what was seen before it.
    #[must_use]
    pub fn rewinds(&self) -> u64 {
        self.rewinds
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
