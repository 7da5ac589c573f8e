//! Secrets that carry the marks of a resource of which nothing was heard yet: the two watches keep no
//! order between them.

use std::collections::BTreeMap;

use super::Seen;
use crate::uid::Uid;

/// By namespace and name. Rarely there is any.
#[derive(Clone, Debug, Default)]
pub(super) struct Orphans(BTreeMap<(String, String), Seen>);

impl Orphans {
    pub(super) fn note(&mut self, namespace: &str, name: &str, seen: &Seen, knows_owner: bool) {
        if seen.marked_by.is_some() && !knows_owner {
            let key = (namespace.to_owned(), name.to_owned());
            self.0.insert(key, seen.clone());
        } else {
            self.forget(namespace, name);
        }
    }

    pub(super) fn forget(&mut self, namespace: &str, name: &str) {
        if !self.0.is_empty() {
            self.0.remove(&(namespace.to_owned(), name.to_owned()));
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that wait for a resource, which is known now.
    pub(super) fn take(&mut self, namespace: &str, uid: &Uid) -> Vec<(String, Seen)> {
        let its = |(of, _): &(String, String), seen: &Seen| {
            of == namespace && seen.marked_by.as_ref() == Some(uid)
        };
        let keys = self.0.iter().filter(|(key, seen)| its(key, seen));
        let keys: Vec<_> = keys.map(|(key, _)| key.clone()).collect();
        let taken = keys.into_iter().filter_map(|key| self.0.remove_entry(&key));
        taken.map(|((_, name), seen)| (name, seen)).collect()
    }
}
