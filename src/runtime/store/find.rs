//! Resources by what they have in common.

use std::{cmp::Reverse, collections::HashMap, ops::Bound};

use super::{OUTDATED, Store};
use crate::{domain::index::NamespacedName, ops::metrics::Summary};

impl Store {
    /// The Ready resources whose pair AWS accepted, with the time, latest first: `each` at most per
    /// namespace.
    #[must_use]
    pub fn accepted_lately(&self, each: usize) -> Vec<(u32, NamespacedName)> {
        let ready = |summary: &Summary| summary.conditions().any(|it| it == ("Ready", "True"));
        let accepted = self.records.iter().filter_map(|(key, record)| {
            let at = record.summary.verified()?;
            ready(&record.summary).then_some((at, key))
        });
        let mut accepted: Vec<(u32, &NamespacedName)> = accepted.collect();
        accepted.sort_unstable_by_key(|(at, _)| Reverse(*at));
        let mut per_namespace: HashMap<&str, usize> = HashMap::new();
        accepted.retain(|(_, key)| {
            let count = per_namespace.entry(&key.namespace).or_default();
            *count += 1;
            *count <= each
        });
        let keys = accepted.into_iter();
        keys.map(|(at, key)| (at, key.clone())).collect()
    }

    /// The resources that name one of these classes, or any class.
    #[must_use]
    pub fn of_classes(&self, names: Option<&[String]>) -> Vec<NamespacedName> {
        let is_meant =
            |class: &str| names.is_none_or(|names| names.iter().any(|name| name == class));
        let found = self
            .records
            .iter()
            .filter(|(_, record)| record.class.as_deref().is_some_and(is_meant));
        found.map(|(key, _)| key.clone()).collect()
    }

    /// The state of up to `most` resources after `last`, or of the first ones, for the metrics.
    #[must_use]
    pub fn page(
        &self,
        last: Option<&NamespacedName>,
        most: usize,
    ) -> Vec<(NamespacedName, Summary)> {
        let watch = self.watch.as_ref();
        if watch.is_some_and(|watch| watch.silence() >= OUTDATED) {
            return Vec::new();
        }
        let beginning = last.map_or(Bound::Unbounded, Bound::Excluded);
        let following = self.records.range((beginning, Bound::Unbounded));
        let copied = following.map(|(key, record)| (key.clone(), record.summary));
        copied.take(most).collect()
    }
}
