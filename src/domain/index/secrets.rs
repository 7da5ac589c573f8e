//! Single changes of Secrets, from the watch and from the reads and writes of this process.

use std::sync::Arc;

use super::{Index, NamespacedName, Observed, SecretVersion, entry, namespace::Namespace};

impl Index {
    /// Records a changed Secret. Returns the resources that it concerns: none if the version is known, since [`Self::record`]
    /// returned them.
    pub fn apply_secret(
        &mut self,
        namespace: &str,
        name: &str,
        seen: SecretVersion,
    ) -> Vec<NamespacedName> {
        self.record_unclaimed(namespace, name, &seen);
        let Some((namespace, content)) = entry(&mut self.namespaces, namespace) else {
            return Vec::new();
        };
        let namespace = &namespace;
        if content.knows(name, &seen) {
            content.record_secret(name, seen);
            return Vec::new();
        }
        // Collected before the change, too: a previous owner has one stale target less.
        let mut affected = content.dependents(namespace, name);
        if content.record_secret(name, seen) {
            content.add_dependents(namespace, name, &mut affected);
        }
        affected
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
        let affected = content.dependents(&namespace, name);
        if let Some(tracked) = content.secrets.get_mut(name) {
            tracked.awaited_by_list = false;
            tracked.observed.mark_deleted(version);
        }
        content.remove_if_unused(name);
        affected
    }

    /// Records a read or write of this process before the watch delivers it. An absence has no
    /// version, so it counts only if nothing else was observed since `before`. Returns the resources that a new version
    /// concerns, the one whose reconcile records it included.
    #[must_use]
    pub fn record(
        &mut self,
        namespace: &str,
        name: &str,
        before: &Observed,
        now: &Observed,
    ) -> Vec<NamespacedName> {
        let Some((namespace, content)) = entry(&mut self.namespaces, namespace) else {
            return Vec::new();
        };
        let is_known = matches!(now, Observed::Found(seen) if content.knows(name, seen));
        let mut affected = if is_known {
            Vec::new()
        } else {
            content.dependents(&namespace, name)
        };
        let Some(tracked) = content.secrets.get_mut(name) else {
            return Vec::new();
        };
        match now {
            // The watch delivered a deletion after this read or write was answered.
            Observed::Found(_)
                if tracked.observed == Observed::NotFound && *before != Observed::NotFound => {}
            Observed::Found(seen) => {
                tracked.awaited_by_list = false;
                tracked.observed.update_if_newer(seen.clone());
                if !is_known {
                    content.add_dependents(&namespace, name, &mut affected);
                    return affected;
                }
            }
            Observed::NotFound if tracked.observed == *before => {
                tracked.observed = Observed::NotFound;
            }
            Observed::NotFound | Observed::Unknown => {}
        }
        Vec::new()
    }
}

impl Namespace {
    /// Adds the dependents that are not among these resources yet.
    fn add_dependents(&self, namespace: &Arc<str>, name: &str, known: &mut Vec<NamespacedName>) {
        let dependents = self.dependents(namespace, name).into_iter();
        let further: Vec<_> = dependents.filter(|key| !known.contains(key)).collect();
        known.extend(further);
    }

    /// Whether this version or a later one of the same Secret is known.
    fn knows(&self, name: &str, seen: &SecretVersion) -> bool {
        let known = self.secrets.get(name);
        let known = known.and_then(|tracked| tracked.observed.present());
        known.is_some_and(|known| known.uid == seen.uid && known.version >= seen.version)
    }
}
