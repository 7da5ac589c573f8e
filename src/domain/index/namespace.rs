//! The index of one namespace.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{MAX_STALE_TARGETS, NamespacedName, Observed, References, SecretVersion};
use crate::domain::uid::Uid;

/// A target that several resources may want, and the resource that had priority when this was taken.
pub(super) struct PrioritySnapshot {
    target: Arc<str>,
    first: Option<Arc<str>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TrackedSecret {
    pub(super) observed: Observed,
    pub(super) awaited_by_list: bool,
    pub(super) referenced_by: Vec<Arc<str>>,
}

impl TrackedSecret {
    fn add_reference(&mut self, name: &Arc<str>) {
        if !self.referenced_by.contains(name) {
            // Most Secrets have 1 reference.
            self.referenced_by.reserve_exact(1);
            self.referenced_by.push(Arc::clone(name));
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Namespace {
    pub(super) resources: HashMap<Arc<str>, References>,
    pub(super) secrets: HashMap<Arc<str>, TrackedSecret>,
    pub(super) by_uid: HashMap<Uid, Arc<str>>,
    pub(super) stale: HashSet<Arc<str>>,
}

/// The entry of a namespace, and its stored name.
pub(super) fn entry<'a>(
    namespaces: &'a mut HashMap<Arc<str>, Namespace>,
    name: &str,
) -> Option<(Arc<str>, &'a mut Namespace)> {
    let (name, _) = namespaces.get_key_value(name)?;
    let name = Arc::clone(name);
    let content = namespaces.get_mut(&name)?;
    Some((name, content))
}

fn first_names<'a>(names: impl Iterator<Item = &'a Arc<str>>) -> BTreeSet<&'a Arc<str>> {
    let mut first = BTreeSet::new();
    for name in names {
        first.insert(name);
        if first.len() > MAX_STALE_TARGETS {
            first.pop_last();
        }
    }
    first
}

impl Namespace {
    pub(super) fn apply(&mut self, name: &Arc<str>, mut references: References) {
        let (name, before) = self
            .resources
            .remove_entry(name)
            .map_or((Arc::clone(name), None), |(name, before)| {
                (name, Some(before))
            });
        for secret in references.names_mut() {
            let known = self.secrets.get_key_value(secret);
            // Equal names share one allocation.
            if let Some((kept, _)) = known {
                *secret = Arc::clone(kept);
            }
            let tracked = self.secrets.entry(Arc::clone(secret)).or_default();
            tracked.add_reference(&name);
        }
        self.by_uid
            .insert(references.uid.clone(), Arc::clone(&name));
        if let Some(before) = &before {
            let kept: Vec<&str> = references.secret_names().collect();
            let dropped = before
                .secret_names()
                .filter(|secret| !kept.contains(secret));
            let dropped: Vec<&str> = dropped.collect();
            if before.uid != references.uid {
                self.by_uid.remove(&before.uid);
                self.forget_stale_targets_of(&before.uid);
            }
            self.remove_references(&name, &dropped, Some(&references));
        }
        self.resources.insert(name, references);
    }

    pub(super) fn remove(&mut self, name: &str) {
        let Some(references) = self.resources.remove(name) else {
            return;
        };
        self.by_uid.remove(&references.uid);
        let names: Vec<&str> = references.secret_names().collect();
        self.remove_references(name, &names, None);
        self.forget_stale_targets_of(&references.uid);
    }

    /// A resource was deleted. Its stale targets are left to the Kubernetes garbage collector.
    fn forget_stale_targets_of(&mut self, uid: &Uid) {
        let Self { secrets, stale, .. } = self;
        stale.retain(|name| {
            let Some(tracked) = secrets.get(name) else {
                return false;
            };
            let seen = tracked.observed.present();
            let is_owned = seen.is_some_and(|seen| seen.owner_uid.as_ref() == Some(uid));
            if is_owned && tracked.referenced_by.is_empty() {
                secrets.remove(name);
            }
            !is_owned
        });
    }

    /// A resource no longer references these Secrets. A Secret that still carries its marks becomes
    /// a stale target, as does a Secret with another resource's marks that no resource references.
    pub(super) fn remove_references(
        &mut self,
        name: &str,
        secrets: &[&str],
        now: Option<&References>,
    ) {
        for secret in secrets {
            let Some(tracked) = self.secrets.get_mut(*secret) else {
                continue;
            };
            tracked.referenced_by.retain(|referrer| &**referrer != name);
            let owner_uid = tracked
                .observed
                .present()
                .and_then(|seen| seen.owner_uid.as_ref());
            let is_owned = now.is_some_and(|references| owner_uid == Some(&references.uid));
            let owner = owner_uid.and_then(|uid| self.by_uid.get(uid));
            let is_owned_by_another = owner.is_some_and(|owner| **owner != *name);
            if is_owned || is_owned_by_another && tracked.referenced_by.is_empty() {
                self.stale.insert((*secret).into());
            } else if tracked.referenced_by.is_empty() {
                self.secrets.remove(*secret);
            }
        }
    }

    /// The entry of a Secret, if a resource references it or it is a stale target.
    pub(super) fn track(&mut self, name: &str, seen: &SecretVersion) -> Option<&mut TrackedSecret> {
        let owner = seen.owner_uid.as_ref().and_then(|uid| self.by_uid.get(uid));
        let owner = owner.and_then(|owner| self.resources.get(owner));
        let is_stale = owner.is_some_and(|owner| !owner.is_target(name));
        if is_stale {
            self.stale.insert(name.into());
            return Some(self.secrets.entry(name.into()).or_default());
        }
        if self.stale.remove(name)
            && self
                .secrets
                .get(name)
                .is_some_and(|tracked| tracked.referenced_by.is_empty())
        {
            self.secrets.remove(name);
        }
        self.secrets.get_mut(name)
    }

    /// Records a Secret and returns true, if a resource references it or it is a stale target.
    pub(super) fn record_secret(&mut self, name: &str, seen: SecretVersion) -> bool {
        let Some(tracked) = self.track(name, &seen) else {
            return false;
        };
        tracked.awaited_by_list = false;
        tracked.observed.update_if_newer(seen);
        true
    }

    pub(super) fn remove_if_unused(&mut self, name: &str) {
        if self.secrets.get(name).is_some_and(|tracked| {
            tracked.referenced_by.is_empty() && tracked.observed.present().is_none()
        }) {
            self.secrets.remove(name);
            self.stale.remove(name);
        }
    }

    /// The resources that reference a Secret, and the resource whose marks it carries.
    pub(super) fn dependents(&self, namespace: &Arc<str>, name: &str) -> Vec<NamespacedName> {
        let Some(tracked) = self.secrets.get(name) else {
            return Vec::new();
        };
        let owner_uid = tracked
            .observed
            .present()
            .and_then(|seen| seen.owner_uid.as_ref());
        let owner = owner_uid.and_then(|uid| self.by_uid.get(uid));
        let owner = owner.filter(|owner| !tracked.referenced_by.contains(owner));
        tracked
            .referenced_by
            .iter()
            .chain(owner)
            .map(|referrer| NamespacedName::sharing(namespace, referrer))
            .collect()
    }

    pub(super) fn observed(&self, name: &str) -> Observed {
        self.secrets
            .get(name)
            .map(|tracked| tracked.observed.clone())
            .unwrap_or_default()
    }

    /// Stale targets of a resource after a name, else the first ones; 16 at most, as each reconcile builds a view.
    pub(super) fn stale_targets(
        &self,
        references: &References,
        after: &str,
    ) -> Vec<(String, SecretVersion)> {
        let is_owned = |name: &Arc<str>| {
            let seen = self
                .secrets
                .get(name)
                .and_then(|tracked| tracked.observed.present());
            seen.is_some_and(|seen| seen.owner_uid.as_ref() == Some(&references.uid))
        };
        let stale_targets = || {
            let others = self.stale.iter().filter(|name| !references.is_target(name));
            others.filter(|name| is_owned(name))
        };
        let mut first = first_names(stale_targets().filter(|name| ***name > *after));
        if first.is_empty() && !after.is_empty() {
            first = first_names(stale_targets());
        }
        let seen = |name: &Arc<str>| {
            let seen = self.secrets.get(name)?.observed.present()?;
            Some((name.to_string(), seen.clone()))
        };
        first.into_iter().filter_map(seen).collect()
    }

    /// The other resource that wants the same target and has priority.
    pub(super) fn conflict(&self, name: &str, references: &References) -> Option<String> {
        let first = self.first(&references.target)?;
        (*first != *name).then(|| first.to_string())
    }

    pub(super) fn target_of(&self, name: &str) -> Option<Arc<str>> {
        self.resources
            .get(name)
            .map(|references| Arc::clone(&references.target))
    }

    /// A snapshot of the priority for a target, taken before a change.
    pub(super) fn priority_snapshot(&self, target: Arc<str>) -> PrioritySnapshot {
        let first = self.first(&target);
        PrioritySnapshot { target, first }
    }

    /// The resources whose conflicting resource was changed by a change of `changed`: all others
    /// that want the target, if another resource has priority now.
    pub(super) fn affected(&self, before: &PrioritySnapshot, changed: &str) -> Vec<Arc<str>> {
        if self.first(&before.target) == before.first {
            return Vec::new();
        }
        let competitors = self.competitors(&before.target).map(|(name, _)| name);
        competitors
            .filter(|name| ***name != *changed)
            .cloned()
            .collect()
    }

    /// The resource with priority for a target. All others that want the target wait for it.
    fn first(&self, target: &str) -> Option<Arc<str>> {
        let first = self
            .competitors(target)
            .min_by_key(|(_, references)| references.priority());
        first.map(|(name, _)| Arc::clone(name))
    }

    fn competitors<'a>(
        &'a self,
        target: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a References)> {
        let tracked = self.secrets.get(target).into_iter();
        let referenced_by = tracked.flat_map(|tracked| &tracked.referenced_by);
        let known = referenced_by.filter_map(|name| Some((name, self.resources.get(name)?)));
        known.filter(move |(_, references)| *references.target == *target)
    }
}
