//! Which resource references which Secret, and the UID and version last seen of each Secret.
//!
//! Synchronous and without a client. The index keeps only what decisions need of a Secret, and only
//! while a resource references its name or its marks name a resource as owner.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

mod namespace;
mod observed;
mod references;
mod unclaimed;
mod view;

use namespace::{Contest, Namespace, entry};
use unclaimed::UnclaimedTargets;

pub use observed::{Observed, SecretVersion};
pub use references::{NamespacedName, References};
pub use unclaimed::{MOST as MOST_UNCLAIMED, MOST_IN_A_NAMESPACE as MOST_UNCLAIMED_IN_A_NAMESPACE};
pub use view::View;

/// Stale targets that one reconcile removes, at most. Once they are deleted, the view shows the
/// next ones; after a reconcile that could not delete all of them, the next one begins after them.
pub const MAX_STALE_TARGETS: usize = 16;

/// The index of one scope: a namespace, or the cluster.
#[derive(Clone, Debug, Default)]
pub struct Index {
    namespaces: HashMap<Arc<str>, Namespace>,
    unclaimed: UnclaimedTargets,
    epoch: u64,
}

impl Index {
    /// Records the current state of a resource. Returns the other resources whose conflicting
    /// resource changed or disappeared.
    pub fn apply_resource(
        &mut self,
        key: &NamespacedName,
        mentions: References,
    ) -> Vec<NamespacedName> {
        let target = Arc::clone(&mentions.target);
        let waiting = self.unclaimed.take(&key.namespace, &mentions.uid);
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
        others
            .map(|other| NamespacedName::of(&name, &other))
            .collect()
    }

    /// Removes a deleted resource. Returns the others whose conflicting resource changed or disappeared.
    pub fn delete_resource(&mut self, key: &NamespacedName) -> Vec<NamespacedName> {
        let Some((namespace, content)) = entry(&mut self.namespaces, &key.namespace) else {
            return Vec::new();
        };
        let target = content.target_of(&key.name);
        let before = target.map(|target| content.contest(target));
        content.remove(&key.name);
        let others = before.map(|before| content.overtaken(&before, &key.name));
        let others = others.into_iter().flatten();
        let freed = others
            .map(|other| NamespacedName::of(&namespace, &other))
            .collect();
        if content.resources.is_empty() {
            self.namespaces.remove(&namespace);
        }
        freed
    }

    fn note_unclaimed(&mut self, namespace: &str, name: &str, seen: &SecretVersion) {
        let content = self.namespaces.get(namespace);
        let owner = content.zip(seen.owner_uid.as_ref());
        let knows_owner = owner.is_some_and(|(content, uid)| content.by_uid.contains_key(uid));
        let kept = content.map(|content| content.sight(name));
        if matches!(kept, Some(Observed::Found(kept)) if kept.version > seen.version) {
            return;
        }
        self.unclaimed.note(namespace, name, seen, knows_owner);
    }

    /// The stored key of a known resource; a clone shares its memory.
    #[must_use]
    pub fn intern(&self, key: &NamespacedName) -> Option<NamespacedName> {
        let (namespace, content) = self.namespaces.get_key_value(&*key.namespace)?;
        let (name, _) = content.resources.get_key_value(&*key.name)?;
        Some(NamespacedName::of(namespace, name))
    }

    /// A list of Secrets begins. A tracked Secret that is missing from it does not exist.
    pub fn start_relist(&mut self) {
        for tracked in self
            .namespaces
            .values_mut()
            .flat_map(|namespace| namespace.secrets.values_mut())
        {
            tracked.awaited_by_list = true;
        }
        self.unclaimed.clear();
    }

    /// The store was restored from a backup: earlier observations of Secrets are void.
    pub fn invalidate(&mut self) {
        self.epoch += 1;
        self.unclaimed.clear();
        let namespaces = self.namespaces.values_mut();
        for tracked in namespaces.flat_map(|namespace| namespace.secrets.values_mut()) {
            tracked.sight = Observed::Unknown;
        }
    }

    /// Records a Secret of a list.
    pub fn list_secret(&mut self, namespace: &str, name: &str, seen: SecretVersion) {
        self.note_unclaimed(namespace, name, &seen);
        let Some(content) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(tracked) = content.track(name, &seen) else {
            return;
        };
        if tracked.awaited_by_list {
            tracked.awaited_by_list = false;
            // Only after a restore of the store is a list older than what was seen before.
            if matches!(&tracked.sight, Observed::Found(kept) if kept.version > seen.version) {
                self.epoch += 1;
            }
            tracked.sight = Observed::Found(seen);
        } else {
            tracked.sight.update_if_newer(seen);
        }
    }

    /// A list of Secrets is complete. Returns all resources.
    pub fn finish_relist(&mut self) -> Vec<NamespacedName> {
        let mut woken = HashSet::new();
        for (namespace, content) in &mut self.namespaces {
            for tracked in content
                .secrets
                .values_mut()
                .filter(|tracked| tracked.awaited_by_list)
            {
                tracked.awaited_by_list = false;
                tracked.sight = Observed::NotFound;
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
                    .map(|name| NamespacedName::of(namespace, name)),
            );
        }
        woken.into_iter().collect()
    }

    /// Records a changed Secret. Returns the resources that it concerns.
    pub fn apply_secret(
        &mut self,
        namespace: &str,
        name: &str,
        seen: SecretVersion,
    ) -> Vec<NamespacedName> {
        self.note_unclaimed(namespace, name, &seen);
        let Some((namespace, content)) = entry(&mut self.namespaces, namespace) else {
            return Vec::new();
        };
        let namespace = &namespace;
        // Collected before the change, too: a previous owner has one stale target less.
        let mut woken = content.dependents(namespace, name);
        if content.see(name, seen) {
            let concerned = content.dependents(namespace, name).into_iter();
            let further: Vec<_> = concerned.filter(|key| !woken.contains(key)).collect();
            woken.extend(further);
        }
        woken
    }

    /// Records the deletion of a Secret. Returns the resources that it concerns.
    pub fn delete_secret(
        &mut self,
        namespace: &str,
        name: &str,
        version: u64,
    ) -> Vec<NamespacedName> {
        self.unclaimed.forget(namespace, name);
        let Some((namespace, content)) = entry(&mut self.namespaces, namespace) else {
            return Vec::new();
        };
        let concerned = content.dependents(&namespace, name);
        if let Some(tracked) = content.secrets.get_mut(name) {
            tracked.awaited_by_list = false;
            tracked.sight.mark_deleted(version);
        }
        content.forget_if_idle(name);
        concerned
    }

    /// Records a read or write of this process before the watch delivers it. An absence has no
    /// version, so it counts only if nothing else was observed since `before`.
    pub fn record(&mut self, namespace: &str, name: &str, before: &Observed, now: &Observed) {
        let Some(content) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(tracked) = content.secrets.get_mut(name) else {
            return;
        };
        match now {
            // The watch delivered a deletion after this read or write was answered.
            Observed::Found(_)
                if tracked.sight == Observed::NotFound && *before != Observed::NotFound => {}
            Observed::Found(seen) => {
                tracked.awaited_by_list = false;
                tracked.sight.update_if_newer(seen.clone());
            }
            Observed::NotFound if tracked.sight == *before => tracked.sight = Observed::NotFound,
            Observed::NotFound | Observed::Unknown => {}
        }
    }

    /// Everything known that concerns a resource.
    #[must_use]
    pub fn view(&self, key: &NamespacedName) -> View {
        self.view_after(key, "")
    }

    /// The same, with the stale targets after a name, or the first ones if none follows.
    #[must_use]
    pub fn view_after(&self, key: &NamespacedName, name: &str) -> View {
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
            published: published.map_or(Observed::Unknown, |name| content.sight(name)),
            stale_targets: content.stale_targets(mentions, name),
            conflicting_resource: content.conflicting_resource(&key.name, mentions),
        }
    }

    /// Changes with each restore of the store, and with each list that is older than what was seen before.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Number of unclaimed targets.
    #[must_use]
    pub fn unclaimed_secrets(&self) -> usize {
        self.unclaimed.len()
    }

    /// Number of tracked Secrets.
    #[must_use]
    pub fn tracked_secrets(&self) -> usize {
        self.namespaces
            .values()
            .map(|namespace| namespace.secrets.len())
            .sum()
    }
}

#[cfg(test)]
mod tests;
