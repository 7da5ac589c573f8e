//! Unclaimed targets: Secrets marked by a resource that is not known yet, as the two watches are not
//! ordered. An account that may write Secrets can also write marks of resources that never appear.

use std::collections::BTreeMap;

use super::SecretVersion;
use crate::domain::uid::Uid;

/// Limit per namespace. The oldest are dropped first: a resource follows its Secret within seconds.
/// A dropped Secret is seen again with the next list of Secrets, or read by a reconcile.
pub const MAX_UNCLAIMED_PER_NAMESPACE: usize = 256;
/// Limit in total. Beyond it, the namespace with the most drops its oldest.
pub const MAX_UNCLAIMED: usize = 4096;

/// By namespace, in the order of arrival. Usually empty.
#[derive(Clone, Debug, Default)]
pub(super) struct UnclaimedTargets {
    by_namespace: BTreeMap<String, Vec<(String, SecretVersion)>>,
    count: usize,
}

impl UnclaimedTargets {
    pub(super) fn record(
        &mut self,
        namespace: &str,
        name: &str,
        seen: &SecretVersion,
        owner_is_known: bool,
    ) {
        self.forget(namespace, name);
        if seen.owner_uid.is_none() || owner_is_known {
            return;
        }
        let entries = self.by_namespace.entry(namespace.to_owned()).or_default();
        entries.push((name.to_owned(), seen.clone()));
        self.count += 1;
        if entries.len() > MAX_UNCLAIMED_PER_NAMESPACE {
            self.drop_oldest(namespace);
        } else if self.count > MAX_UNCLAIMED {
            let largest = self
                .by_namespace
                .iter()
                .max_by_key(|(_, entries)| entries.len());
            let largest = largest.map(|(namespace, _)| namespace.clone());
            self.drop_oldest(&largest.unwrap_or_default());
        }
    }

    pub(super) fn forget(&mut self, namespace: &str, name: &str) {
        self.retain(namespace, |(kept, _)| kept != name);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Removes and returns the unclaimed targets of a resource that is known now.
    pub(super) fn take(&mut self, namespace: &str, uid: &Uid) -> Vec<(String, SecretVersion)> {
        let mut taken = Vec::new();
        self.retain(namespace, |entry| {
            let is_owned = entry.1.owner_uid.as_ref() == Some(uid);
            if is_owned {
                taken.push(entry.clone());
            }
            !is_owned
        });
        taken
    }

    fn drop_oldest(&mut self, namespace: &str) {
        let mut first = true;
        self.retain(namespace, |_| !std::mem::take(&mut first));
    }

    fn retain(&mut self, namespace: &str, keep: impl FnMut(&(String, SecretVersion)) -> bool) {
        let Some(entries) = self.by_namespace.get_mut(namespace) else {
            return;
        };
        let before = entries.len();
        entries.retain(keep);
        self.count -= before - entries.len();
        if entries.is_empty() {
            self.by_namespace.remove(namespace);
        }
    }
}
