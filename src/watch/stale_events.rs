//! How far a watch has come, so that nothing older is believed when it is said again.

use kube::{
    Resource, ResourceExt,
    runtime::watcher::{Event, Result},
};

/// The highest version since the last list. A watch says of a kind what happened in the order of
/// versions, so one number stands for all objects, those that are gone included.
#[derive(Default)]
pub struct StaleEventFilter(u64);

impl StaleEventFilter {
    /// Whether an event is to be passed on. One that comes again would put back what a person has
    /// changed since.
    pub fn accept<K: Resource>(&mut self, event: &Result<Event<K>>) -> bool {
        let (object, in_order) = match event {
            // A list has an order of its own.
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
        let news = !in_order || self.0 <= version;
        self.0 = self.0.max(version);
        news
    }
}
