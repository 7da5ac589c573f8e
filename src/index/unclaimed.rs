//! Secrets that carry the marks of a resource of which nothing was heard yet: the two watches keep no
//! order between them. An account that may write Secrets can write such marks of resources that never come.

use std::collections::BTreeMap;

use super::SecretVersion;
use crate::uid::Uid;

/// How many are kept in one namespace. The oldest go first: a resource follows its Secret within seconds.
/// What was lost is seen again with the next list of Secrets, or read by a run.
pub const MOST_IN_A_NAMESPACE: usize = 256;
/// How many are kept in all. The namespace with the most loses its oldest.
pub const MOST: usize = 4096;

/// By namespace, in the order in which they came. Rarely there is any.
#[derive(Clone, Debug, Default)]
pub(super) struct UnclaimedTargets {
    of: BTreeMap<String, Vec<(String, SecretVersion)>>,
    count: usize,
}

impl UnclaimedTargets {
    pub(super) fn note(
        &mut self,
        namespace: &str,
        name: &str,
        seen: &SecretVersion,
        knows_owner: bool,
    ) {
        self.forget(namespace, name);
        if seen.owner_uid.is_none() || knows_owner {
            return;
        }
        let its = self.of.entry(namespace.to_owned()).or_default();
        its.push((name.to_owned(), seen.clone()));
        self.count += 1;
        if its.len() > MOST_IN_A_NAMESPACE {
            self.drop_oldest(namespace);
        } else if self.count > MOST {
            let largest = self.of.iter().max_by_key(|(_, its)| its.len());
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

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Those that wait for a resource, which is known now.
    pub(super) fn take(&mut self, namespace: &str, uid: &Uid) -> Vec<(String, SecretVersion)> {
        let mut taken = Vec::new();
        self.retain(namespace, |orphan| {
            let its = orphan.1.owner_uid.as_ref() == Some(uid);
            if its {
                taken.push(orphan.clone());
            }
            !its
        });
        taken
    }

    fn drop_oldest(&mut self, namespace: &str) {
        let mut first = true;
        self.retain(namespace, |_| !std::mem::take(&mut first));
    }

    fn retain(&mut self, namespace: &str, keep: impl FnMut(&(String, SecretVersion)) -> bool) {
        let Some(its) = self.of.get_mut(namespace) else {
            return;
        };
        let before = its.len();
        its.retain(keep);
        self.count -= before - its.len();
        if its.is_empty() {
            self.of.remove(namespace);
        }
    }
}
