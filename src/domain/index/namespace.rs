//! The index of one namespace.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{MAX_STALE_TARGETS, NamespacedName, Observed, References, SecretVersion};
use crate::domain::uid::Uid;

/// A target that several resources may want, and the resource that had priority when this was taken.
pub(super) struct Contest {
    target: Arc<str>,
    first: Option<Arc<str>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tracked {
    pub(super) sight: Observed,
    pub(super) awaited_by_list: bool,
    pub(super) mentioned_by: Vec<Arc<str>>,
}

impl Tracked {
    fn mention(&mut self, name: &Arc<str>) {
        if !self.mentioned_by.contains(name) {
            // Most Secrets have 1 reference.
            self.mentioned_by.reserve_exact(1);
            self.mentioned_by.push(Arc::clone(name));
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Namespace {
    pub(super) resources: HashMap<Arc<str>, References>,
    pub(super) secrets: HashMap<Arc<str>, Tracked>,
    pub(super) by_uid: HashMap<Uid, Arc<str>>,
    pub(super) strays: HashSet<Arc<str>>,
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

fn first_of<'a>(names: impl Iterator<Item = &'a Arc<str>>) -> BTreeSet<&'a Arc<str>> {
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
    pub(super) fn apply(&mut self, name: &Arc<str>, mut mentions: References) {
        let (name, before) = self
            .resources
            .remove_entry(name)
            .map_or((Arc::clone(name), None), |(name, before)| {
                (name, Some(before))
            });
        for secret in mentions.names_mut() {
            let known = self.secrets.get_key_value(secret);
            // Equal names share one allocation.
            if let Some((kept, _)) = known {
                *secret = Arc::clone(kept);
            }
            let tracked = self.secrets.entry(Arc::clone(secret)).or_default();
            tracked.mention(&name);
        }
        self.by_uid.insert(mentions.uid.clone(), Arc::clone(&name));
        if let Some(before) = &before {
            let kept: Vec<&str> = mentions.secret_names().collect();
            let dropped = before
                .secret_names()
                .filter(|secret| !kept.contains(secret));
            let dropped: Vec<&str> = dropped.collect();
            if before.uid != mentions.uid {
                self.by_uid.remove(&before.uid);
                self.forget_stale_targets_of(&before.uid);
            }
            self.remove_references(&name, &dropped, Some(&mentions));
        }
        self.resources.insert(name, mentions);
    }

    pub(super) fn remove(&mut self, name: &str) {
        let Some(mentions) = self.resources.remove(name) else {
            return;
        };
        self.by_uid.remove(&mentions.uid);
        let names: Vec<&str> = mentions.secret_names().collect();
        self.remove_references(name, &names, None);
        self.forget_stale_targets_of(&mentions.uid);
    }

    /// A resource was deleted. Its stale targets are left to the Kubernetes garbage collector.
    fn forget_stale_targets_of(&mut self, uid: &Uid) {
        let Self {
            secrets, strays, ..
        } = self;
        strays.retain(|name| {
            let Some(tracked) = secrets.get(name) else {
                return false;
            };
            let seen = tracked.sight.present();
            let is_its = seen.is_some_and(|seen| seen.owner_uid.as_ref() == Some(uid));
            if is_its && tracked.mentioned_by.is_empty() {
                secrets.remove(name);
            }
            !is_its
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
            tracked.mentioned_by.retain(|by| &**by != name);
            let marked_by = tracked
                .sight
                .present()
                .and_then(|seen| seen.owner_uid.as_ref());
            let is_its = now.is_some_and(|mentions| marked_by == Some(&mentions.uid));
            let owner = marked_by.and_then(|uid| self.by_uid.get(uid));
            let is_anothers = owner.is_some_and(|owner| **owner != *name);
            if is_its || is_anothers && tracked.mentioned_by.is_empty() {
                self.strays.insert((*secret).into());
            } else if tracked.mentioned_by.is_empty() {
                self.secrets.remove(*secret);
            }
        }
    }

    /// The entry of a Secret, if a resource references it or it is a stale target.
    pub(super) fn track(&mut self, name: &str, seen: &SecretVersion) -> Option<&mut Tracked> {
        let owner = seen.owner_uid.as_ref().and_then(|uid| self.by_uid.get(uid));
        let owner = owner.and_then(|owner| self.resources.get(owner));
        let stray = owner.is_some_and(|owner| !owner.is_target(name));
        if stray {
            self.strays.insert(name.into());
            return Some(self.secrets.entry(name.into()).or_default());
        }
        if self.strays.remove(name)
            && self
                .secrets
                .get(name)
                .is_some_and(|tracked| tracked.mentioned_by.is_empty())
        {
            self.secrets.remove(name);
        }
        self.secrets.get_mut(name)
    }

    /// Records a Secret and returns true, if a resource references it or it is a stale target.
    pub(super) fn see(&mut self, name: &str, seen: SecretVersion) -> bool {
        let Some(tracked) = self.track(name, &seen) else {
            return false;
        };
        tracked.awaited_by_list = false;
        tracked.sight.update_if_newer(seen);
        true
    }

    pub(super) fn forget_if_idle(&mut self, name: &str) {
        if self.secrets.get(name).is_some_and(|tracked| {
            tracked.mentioned_by.is_empty() && tracked.sight.present().is_none()
        }) {
            self.secrets.remove(name);
            self.strays.remove(name);
        }
    }

    /// The resources that reference a Secret, and the resource whose marks it carries.
    pub(super) fn dependents(&self, namespace: &Arc<str>, name: &str) -> Vec<NamespacedName> {
        let Some(tracked) = self.secrets.get(name) else {
            return Vec::new();
        };
        let marked_by = tracked
            .sight
            .present()
            .and_then(|seen| seen.owner_uid.as_ref());
        let owner = marked_by.and_then(|uid| self.by_uid.get(uid));
        let owner = owner.filter(|owner| !tracked.mentioned_by.contains(owner));
        tracked
            .mentioned_by
            .iter()
            .chain(owner)
            .map(|by| NamespacedName::of(namespace, by))
            .collect()
    }

    pub(super) fn sight(&self, name: &str) -> Observed {
        self.secrets
            .get(name)
            .map(|tracked| tracked.sight.clone())
            .unwrap_or_default()
    }

    /// Stale targets of a resource after a name, else the first ones; 16 at most, as each reconcile builds a view.
    pub(super) fn stale_targets(
        &self,
        mentions: &References,
        after: &str,
    ) -> Vec<(String, SecretVersion)> {
        let marked = |name: &Arc<str>| {
            let seen = self
                .secrets
                .get(name)
                .and_then(|tracked| tracked.sight.present());
            seen.is_some_and(|seen| seen.owner_uid.as_ref() == Some(&mentions.uid))
        };
        let strays = || {
            let others = self.strays.iter().filter(|name| !mentions.is_target(name));
            others.filter(|name| marked(name))
        };
        let mut first = first_of(strays().filter(|name| ***name > *after));
        if first.is_empty() && !after.is_empty() {
            first = first_of(strays());
        }
        let seen = |name: &Arc<str>| {
            let seen = self.secrets.get(name)?.sight.present()?;
            Some((name.to_string(), seen.clone()))
        };
        first.into_iter().filter_map(seen).collect()
    }

    /// The other resource that wants the same target and has priority.
    pub(super) fn conflicting_resource(&self, name: &str, mentions: &References) -> Option<String> {
        let first = self.first(&mentions.target)?;
        (*first != *name).then(|| first.to_string())
    }

    pub(super) fn target_of(&self, name: &str) -> Option<Arc<str>> {
        self.resources
            .get(name)
            .map(|mentions| Arc::clone(&mentions.target))
    }

    /// A snapshot of the priority for a target, taken before a change.
    pub(super) fn contest(&self, target: Arc<str>) -> Contest {
        let first = self.first(&target);
        Contest { target, first }
    }

    /// The resources whose conflicting resource was changed by a change of `changed`: all others
    /// that want the target, if another resource has priority now.
    pub(super) fn overtaken(&self, before: &Contest, changed: &str) -> Vec<Arc<str>> {
        if self.first(&before.target) == before.first {
            return Vec::new();
        }
        let wanting = self.competitors(&before.target).map(|(name, _)| name);
        wanting
            .filter(|name| ***name != *changed)
            .cloned()
            .collect()
    }

    /// The resource with priority for a target. All others that want the target wait for it.
    fn first(&self, target: &str) -> Option<Arc<str>> {
        let first = self
            .competitors(target)
            .min_by_key(|(_, its)| its.priority());
        first.map(|(name, _)| Arc::clone(name))
    }

    fn competitors<'a>(
        &'a self,
        target: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a References)> {
        let tracked = self.secrets.get(target).into_iter();
        let mentioned_by = tracked.flat_map(|tracked| &tracked.mentioned_by);
        let known = mentioned_by.filter_map(|name| Some((name, self.resources.get(name)?)));
        known.filter(move |(_, mentions)| *mentions.target == *target)
    }
}
