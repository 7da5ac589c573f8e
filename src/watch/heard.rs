//! What a watch has said of each object, so that nothing older is believed when it is said again.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use kube::{
    Resource, ResourceExt,
    runtime::watcher::{Event, Result},
};

/// The last version of each object since the last list, by a hash of its UID.
#[derive(Default)]
pub struct Heard(HashMap<u64, u64>);

impl Heard {
    /// Whether an event is to be passed on. One that comes again would put back what a person has
    /// changed since.
    pub fn is_news<K: Resource>(&mut self, event: &Result<Event<K>>) -> bool {
        match event {
            Ok(Event::Apply(object) | Event::Delete(object) | Event::InitApply(object)) => {
                self.advance(object)
            }
            Ok(Event::Init) => {
                self.0.clear();
                true
            }
            Ok(Event::InitDone) | Err(_) => true,
        }
    }

    fn advance<K: Resource>(&mut self, object: &K) -> bool {
        let version = object.resource_version();
        let Some(version) = version.and_then(|version| version.parse().ok()) else {
            return true;
        };
        let uid = object.uid().unwrap_or_default();
        let uid = BuildHasherDefault::<DefaultHasher>::default().hash_one(uid);
        let last = self.0.entry(uid).or_default();
        let news = *last <= version;
        *last = version.max(*last);
        news
    }
}
