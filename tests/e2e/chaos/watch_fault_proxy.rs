//! Faults of the operator's watches: each event is delivered late, in another order, once, several times, or never.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cluster::proxy::{Answer, Fault, Proxy, RequestHead, Verb};
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// How incoming events are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Held until they are released.
    Hold,
    /// At once, each followed by all events so far.
    Repeat,
    /// At once.
    Pass,
}

/// Which held events to release, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseOrder {
    /// As received.
    AsReceived,
    /// Object by object, the last received object first; the events of each object as received.
    LastObjectFirst,
    /// Only the last event of each object.
    LatestEvents,
}

/// The watches of one proxy, and how their events are delivered.
#[derive(Clone)]
pub struct WatchFaultProxy(Arc<Mutex<State>>);

struct State {
    mode: DeliveryMode,
    watches: Vec<OpenWatch>,
    event_count: usize,
}

/// An open watch.
struct OpenWatch {
    resource: String,
    to: UnboundedSender<Vec<u8>>,
    held: Vec<WatchEvent>,
    history: Vec<WatchEvent>,
}

#[derive(Clone)]
struct WatchEvent {
    /// The name of the object; none for a bookmark or an error.
    object: Option<String>,
    bytes: Vec<u8>,
}

impl WatchFaultProxy {
    /// Takes over all watches that begin from now on. `otherwise` decides on other requests.
    pub fn start(
        proxy: &Proxy,
        mode: DeliveryMode,
        otherwise: impl Fn(&RequestHead) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let watch_fault_proxy = Self(Arc::new(Mutex::new(State {
            mode,
            watches: Vec::new(),
            event_count: 0,
        })));
        let handle = watch_fault_proxy.clone();
        proxy.set_fault(Box::new(move |head| match head.verb {
            // Only a plain list can return an older state.
            Verb::Watch if head.is_streaming_list() => Fault::Answer(Answer::no_watch_list()),
            Verb::Watch => handle.intercept(head),
            _ => otherwise(head),
        }));
        watch_fault_proxy
    }

    /// Sets how events are delivered from now on.
    pub fn set(&self, mode: DeliveryMode) {
        self.state().mode = mode;
    }

    /// The number of events held or delivered so far, without bookmarks.
    pub fn event_count(&self) -> usize {
        self.state().event_count
    }

    /// Delivers the held events of a resource.
    pub fn release(&self, resource: &str, order: ReleaseOrder) {
        for watch in &mut self.state().watches {
            if watch.resource == resource {
                let held = std::mem::take(&mut watch.held);
                for event in sorted(held, order) {
                    let _ = watch.to.send(event.bytes);
                }
            }
        }
    }

    fn intercept(&self, head: &RequestHead) -> Fault {
        let (from_server, incoming) = mpsc::unbounded_channel();
        let (to, to_operator) = mpsc::unbounded_channel();
        let mut state = self.state();
        // The API server sends the events that the last watch held again, to the new watch.
        state
            .watches
            .retain(|watch| watch.resource != head.resource);
        state.watches.push(OpenWatch {
            resource: head.resource.clone(),
            to,
            held: Vec::new(),
            history: Vec::new(),
        });
        tokio::spawn(receive_events(
            self.clone(),
            head.resource.clone(),
            incoming,
        ));
        Fault::Between(from_server, to_operator)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn receive_events(
    watch_fault_proxy: WatchFaultProxy,
    resource: String,
    mut incoming: UnboundedReceiver<Vec<u8>>,
) {
    while let Some(bytes) = incoming.recv().await {
        watch_fault_proxy
            .state()
            .receive(&resource, WatchEvent::new(bytes));
    }
    // The API server has ended the watch.
    let mut state = watch_fault_proxy.state();
    state.watches.retain(|watch| watch.resource != resource);
}

impl State {
    fn receive(&mut self, resource: &str, event: WatchEvent) {
        self.event_count += usize::from(event.object.is_some());
        let watch = self
            .watches
            .iter_mut()
            .find(|watch| watch.resource == resource);
        let Some(watch) = watch else { return };
        match self.mode {
            DeliveryMode::Hold => watch.held.push(event),
            DeliveryMode::Pass => {
                let _ = watch.to.send(event.bytes);
            }
            DeliveryMode::Repeat => {
                let _ = watch.to.send(event.bytes.clone());
                watch.history.push(event);
                for past in &watch.history {
                    let _ = watch.to.send(past.bytes.clone());
                }
            }
        }
    }
}

impl WatchEvent {
    fn new(bytes: Vec<u8>) -> Self {
        let parsed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let name = parsed["object"]["metadata"]["name"].as_str();
        Self {
            object: name.map(str::to_owned),
            bytes,
        }
    }
}

fn sorted(held: Vec<WatchEvent>, order: ReleaseOrder) -> Vec<WatchEvent> {
    if order == ReleaseOrder::AsReceived {
        return held;
    }
    let mut names = BTreeSet::new();
    let last_first = held.iter().rev().filter_map(|event| event.object.clone());
    let objects: Vec<String> = last_first
        .filter(|name| names.insert(name.clone()))
        .collect();
    let events_of = |name: &String| {
        let of_object = held
            .iter()
            .filter(|event| event.object.as_ref() == Some(name));
        let all: Vec<WatchEvent> = of_object.cloned().collect();
        match order {
            ReleaseOrder::LatestEvents => all.last().cloned().into_iter().collect(),
            _ => all,
        }
    };
    objects.iter().flat_map(events_of).collect()
}
