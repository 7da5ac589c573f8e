//! How an event about a resource changes the index and the store.

use kube::{ResourceExt, runtime::watcher::Event};

use super::credentials::WatchedCredentials;
use crate::{
    domain::{
        index::{Index, NamespacedName},
        resource,
    },
    runtime::store::Store,
};

/// The consequences of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// Resources to enqueue: the changed ones, and those whose conflicting resource changed or disappeared.
    pub to_enqueue: Vec<NamespacedName>,
    /// Deleted resources.
    pub gone: Vec<NamespacedName>,
    /// Whether the event completed a list.
    pub listed: bool,
}

/// Applies an event to the index and the store. Both hold the same resources, except for resources
/// that were never decoded, which only the store has.
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
            let unblocked = gone.iter().flat_map(|key| index.delete_resource(key));
            let mut to_enqueue: Vec<NamespacedName> =
                unblocked.filter(|key| !gone.contains(key)).collect();
            to_enqueue.sort_unstable();
            to_enqueue.dedup();
            Consequences {
                to_enqueue,
                gone,
                listed: true,
            }
        }
        Event::Delete(object) => {
            let key = key(&object);
            store.remove(&key);
            Consequences {
                to_enqueue: index.delete_resource(&key),
                gone: vec![key],
                listed: false,
            }
        }
        Event::Apply(object) | Event::InitApply(object) => Consequences {
            to_enqueue: record(index, store, &object),
            ..Consequences::default()
        },
    }
}

/// Records a resource, and returns it together with those whose conflicting resource changed. An
/// undecodable resource keeps its previous references, unless its UID has changed (it was recreated). A status that
/// this process wrote causes no reconcile, unless further Secrets belong to the resource now.
fn record(
    index: &mut Index,
    store: &mut Store,
    object: &WatchedCredentials,
) -> Vec<NamespacedName> {
    let key = key(object);
    let uid = object.uid().unwrap_or_default().into();
    let own = object.0.as_ref().ok();
    let own = own.filter(|object| store.wrote(&key, &uid, object));
    let before = own.map(|_| index.view(&key));
    let mut to_enqueue = match &object.0 {
        Ok(object) => {
            let references = resource::references(object, object.status.as_ref());
            index.apply_resource(&key, references)
        }
        Err(_) if store.uid(&key).is_some_and(|known| *known != uid) => index.delete_resource(&key),
        Err(_) => Vec::new(),
    };
    let key = index.intern(&key).unwrap_or(key);
    store.upsert(&key, uid, object.0.as_ref().map_err(Clone::clone));
    if before.is_none_or(|before| before != index.view(&key)) {
        to_enqueue.push(key);
    }
    to_enqueue
}

/// Namespace and name of a watched resource.
fn key(object: &WatchedCredentials) -> NamespacedName {
    NamespacedName::new(&object.namespace().unwrap_or_default(), &object.name_any())
}

#[cfg(test)]
mod tests;
