//! Filters out replayed watch events that are older than what was already seen.
//!
//! The filter stands before index and store, since both must reject the same events. A version in each record of the
//! store would cover neither deleted resources nor the index.

use kube::{
    Resource, ResourceExt,
    runtime::watcher::{Event, Result},
};

/// The highest version since the last list. A watch delivers the events of a kind in the order of
/// versions, so 1 number stands for all objects, deleted ones included.
#[derive(Default)]
pub struct StaleEventFilter(u64);

impl StaleEventFilter {
    /// Whether to pass an event on. A replayed event would bring back a state that a person has
    /// changed since.
    pub fn accept<K: Resource>(&mut self, event: &Result<Event<K>>) -> bool {
        let (object, in_order) = match event {
            // The objects of a list are not sorted by version.
            Ok(Event::InitApply(object)) => (object, false),
            Ok(Event::Apply(object) | Event::Delete(object)) => (object, true),
            Ok(Event::Init) => {
                self.0 = 0;
                return true;
            }
            Ok(Event::InitDone) | Err(_) => return true,
        };
        let version = object.resource_version();
        let Some(version) = version.and_then(|version| version.parse().ok()) else {
            return true;
        };
        let is_new = !in_order || self.0 <= version;
        self.0 = self.0.max(version);
        is_new
    }
}
