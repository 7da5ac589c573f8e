//! A watch that goes on, and what it has spoken of.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use futures::stream::BoxStream;
use kube::{Resource, ResourceExt, api::WatchEvent, runtime::watcher::Event};
use tokio::time::Instant;

/// A watch that goes on.
pub struct Watching<K> {
    /// Everything up to here is known.
    pub version: String,
    pub began: Instant,
    pub events: BoxStream<'static, kube::Result<WatchEvent<K>>>,
    /// The last version of each object of which this watch has spoken, by a hash of its UID.
    pub seen: HashMap<u64, u64>,
}

impl<K: Resource> Watching<K> {
    /// Whether an event tells something new of its object: one that comes again would put back what
    /// a person has changed since. Nothing if it has no version.
    pub fn hear(&mut self, event: &Event<K>) -> Option<bool> {
        let (Event::Apply(object) | Event::Delete(object)) = event else {
            return None;
        };
        let version = object.resource_version().filter(|text| !text.is_empty())?;
        let number: Option<u64> = version.parse().ok();
        let uid = object.uid().unwrap_or_default();
        let uid = BuildHasherDefault::<DefaultHasher>::default().hash_one(uid);
        let last = self.seen.get(&uid).copied();
        let news = number.is_none_or(|number| last.is_none_or(|last| number > last));
        if news {
            self.seen.extend(number.map(|number| (uid, number)));
            if !is_before(&version, &self.version) {
                self.version = version;
            }
        }
        Some(news)
    }
}

/// Kubernetes orders versions as numbers.
pub fn is_before(now: &str, seen: &str) -> bool {
    let number = |version: &str| version.parse::<u64>().ok();
    number(now)
        .zip(number(seen))
        .is_some_and(|(now, seen)| now < seen)
}
