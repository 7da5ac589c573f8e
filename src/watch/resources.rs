//! What an event about a resource makes of index and store.

use kube::{ResourceExt, runtime::watcher::Event};

use super::credentials::WatchedCredentials;
use crate::{
    index::{Index, NamespacedName},
    resource,
    store::Store,
};

/// What follows from an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// Resources to run: those that changed, and those that wait for another one than before, or for none.
    pub woken: Vec<NamespacedName>,
    /// Resources that are gone.
    pub gone: Vec<NamespacedName>,
    /// Whether a list is complete.
    pub listed: bool,
}

/// Takes an event into index and store. Index and store have the same resources, but for those that
/// were never decoded, which only the store has.
pub fn on_event(
    index: &mut Index,
    store: &mut Store,
    event: Event<WatchedCredentials>,
) -> Consequences {
    match event {
        Event::Init => {
            store.start_relist();
            Consequences::default()
        }
        Event::InitDone => {
            let gone = store.finish_relist();
            let freed = gone.iter().flat_map(|key| index.delete_resource(key));
            let mut woken: Vec<NamespacedName> = freed.filter(|key| !gone.contains(key)).collect();
            woken.sort_unstable();
            woken.dedup();
            Consequences {
                woken,
                gone,
                listed: true,
            }
        }
        Event::Delete(object) => {
            let key = key(&object);
            store.remove(&key);
            Consequences {
                woken: index.delete_resource(&key),
                gone: vec![key],
                listed: false,
            }
        }
        Event::Apply(object) | Event::InitApply(object) => Consequences {
            woken: retain(index, store, &object),
            ..Consequences::default()
        },
    }
}

/// Keeps a resource, and returns it together with those whose rival it changed. One that cannot be
/// decoded mentions what it mentioned before, unless it is another one of the same name.
fn retain(
    index: &mut Index,
    store: &mut Store,
    object: &WatchedCredentials,
) -> Vec<NamespacedName> {
    let key = key(object);
    let uid = object.uid().unwrap_or_default().into();
    let mut woken = match &object.0 {
        Ok(object) => {
            let mentions = resource::references(object, object.status.as_ref());
            index.apply_resource(&key, mentions)
        }
        Err(_) if store.uid(&key).is_some_and(|known| *known != uid) => index.delete_resource(&key),
        Err(_) => Vec::new(),
    };
    let key = index.intern(&key).unwrap_or(key);
    store.upsert(&key, uid, object.0.as_ref().map_err(Clone::clone));
    woken.push(key);
    woken
}

/// Namespace and name of a watched resource.
fn key(object: &WatchedCredentials) -> NamespacedName {
    NamespacedName::new(&object.namespace().unwrap_or_default(), &object.name_any())
}
