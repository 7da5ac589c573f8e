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
mod secrets;
mod unclaimed;
mod view;

use namespace::{Namespace, PrioritySnapshot, entry};
use unclaimed::UnclaimedTargets;

pub use observed::{Observed, SecretVersion};
pub use references::{NamespacedName, References};
pub use view::View;

#[cfg(test)]
pub(crate) use unclaimed::{MAX_UNCLAIMED, MAX_UNCLAIMED_PER_NAMESPACE};

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
        references: References,
    ) -> Vec<NamespacedName> {
        let target = Arc::clone(&references.target);
        let unclaimed = self.unclaimed.take(&key.namespace, &references.uid);
        let kept = self.namespaces.get_key_value(&*key.namespace);
        let name = kept.map_or_else(|| Arc::clone(&key.namespace), |(name, _)| Arc::clone(name));
        let namespace = self.namespaces.entry(Arc::clone(&name)).or_default();
        let before = namespace.target_of(&key.name);
        let targets = [Some(target), before].into_iter().flatten();
        let snapshots = targets.map(|target| namespace.priority_snapshot(target));
        let snapshots: Vec<PrioritySnapshot> = snapshots.collect();
        namespace.apply(&key.name, references);
        for (name, seen) in unclaimed {
            namespace.record_secret(&name, seen);
        }
        let content = &*namespace;
        let others = snapshots
            .iter()
            .flat_map(|snapshot| content.affected(snapshot, &key.name));
        let others: BTreeSet<_> = others.collect();
        let others = others.into_iter();
        others
            .map(|other| NamespacedName::sharing(&name, &other))
            .collect()
    }

    /// Removes a deleted resource. Returns the others whose conflicting resource changed or disappeared.
    pub fn delete_resource(&mut self, key: &NamespacedName) -> Vec<NamespacedName> {
        let Some((namespace, content)) = entry(&mut self.namespaces, &key.namespace) else {
            return Vec::new();
        };
        let target = content.target_of(&key.name);
        let before = target.map(|target| content.priority_snapshot(target));
        content.remove(&key.name);
        let others = before.map(|before| content.affected(&before, &key.name));
        let others = others.into_iter().flatten();
        let unblocked = others
            .map(|other| NamespacedName::sharing(&namespace, &other))
            .collect();
        if content.resources.is_empty() {
            self.namespaces.remove(&namespace);
        }
        unblocked
    }

    fn record_unclaimed(&mut self, namespace: &str, name: &str, seen: &SecretVersion) {
        let content = self.namespaces.get(namespace);
        let owner = content.zip(seen.owner_uid.as_ref());
        let owner_is_known = owner.is_some_and(|(content, uid)| content.by_uid.contains_key(uid));
        let kept = content.map(|content| content.observed(name));
        if matches!(kept, Some(Observed::Found(kept)) if kept.version > seen.version) {
            return;
        }
        self.unclaimed.record(namespace, name, seen, owner_is_known);
    }

    /// The stored key of a known resource; a clone shares its memory.
    #[must_use]
    pub fn intern(&self, key: &NamespacedName) -> Option<NamespacedName> {
        let (namespace, content) = self.namespaces.get_key_value(&*key.namespace)?;
        let (name, _) = content.resources.get_key_value(&*key.name)?;
        Some(NamespacedName::sharing(namespace, name))
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
            tracked.observed = Observed::Unknown;
        }
    }

    /// Records a Secret of a list.
    pub fn list_secret(&mut self, namespace: &str, name: &str, seen: SecretVersion) {
        self.record_unclaimed(namespace, name, &seen);
        let Some(content) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let Some(tracked) = content.track(name, &seen) else {
            return;
        };
        if tracked.awaited_by_list {
            tracked.awaited_by_list = false;
            // Only after a restore of the store is a list older than what was seen before.
            if matches!(&tracked.observed, Observed::Found(kept) if kept.version > seen.version) {
                self.epoch += 1;
            }
            tracked.observed = Observed::Found(seen);
        } else {
            tracked.observed.update_if_newer(seen);
        }
    }

    /// A list of Secrets is complete. Returns all resources.
    pub fn finish_relist(&mut self) -> Vec<NamespacedName> {
        let mut affected = HashSet::new();
        for (namespace, content) in &mut self.namespaces {
            for tracked in content
                .secrets
                .values_mut()
                .filter(|tracked| tracked.awaited_by_list)
            {
                tracked.awaited_by_list = false;
                tracked.observed = Observed::NotFound;
            }
            let Namespace { secrets, stale, .. } = content;
            secrets.retain(|_, tracked| {
                tracked.observed.present().is_some() || !tracked.referenced_by.is_empty()
            });
            stale.retain(|name| secrets.contains_key(name));
            affected.extend(
                content
                    .resources
                    .keys()
                    .map(|name| NamespacedName::sharing(namespace, name)),
            );
        }
        affected.into_iter().collect()
    }

    /// Everything known that concerns a resource.
    #[must_use]
    pub fn view(&self, key: &NamespacedName) -> View {
        self.view_after(key, "")
    }

    /// The same, with the stale targets after a name, or the first ones if none follows.
    #[must_use]
    pub fn view_after(&self, key: &NamespacedName, after: &str) -> View {
        let Some(content) = self.namespaces.get(&*key.namespace) else {
            return View::default();
        };
        let Some(references) = content.resources.get(&*key.name) else {
            return View::default();
        };
        let published = references
            .published
            .as_deref()
            .filter(|name| **name != *references.target);
        View {
            source: content.observed(&references.source),
            target: content.observed(&references.target),
            published: published.map_or(Observed::Unknown, |name| content.observed(name)),
            stale_targets: content.stale_targets(references, after),
            conflicting_resource: content.conflict(&key.name, references),
        }
    }

    /// Changes with each restore of the store, and with each list that is older than what was seen before.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Number of unclaimed targets.
    #[cfg(test)]
    pub(crate) fn unclaimed_secrets(&self) -> usize {
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
pub(crate) mod tests;
