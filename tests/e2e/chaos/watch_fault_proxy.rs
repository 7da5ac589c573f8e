//! A proxy between the API server and the operator's watches: it delivers each event late, in
//! another order, once or several times, or never.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cluster::proxy::{Answer, Fault, Proxy, RequestHead, Verb};
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What happens to an incoming event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It is held until it is released.
    Hold,
    /// It is delivered, and after it all earlier events and itself again.
    Repeat,
    /// It is delivered.
    Pass,
}

/// Which held events to release, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As received.
    AsItCame,
    /// Object by object, the last received object first; the events of each object as received.
    LastObjectFirst,
    /// Only the last event of each object.
    LastEvents,
}

/// The faults of the watches of one proxy.
#[derive(Clone)]
pub struct WatchFaultProxy(Arc<Mutex<Office>>);

struct Office {
    manner: Manner,
    lines: Vec<Line>,
    carried: usize,
}

/// An open watch.
struct Line {
    resource: String,
    to: UnboundedSender<Vec<u8>>,
    held: Vec<Mail>,
    history: Vec<Mail>,
}

#[derive(Clone)]
struct Mail {
    /// The object's name; none for a bookmark or an error.
    about: Option<String>,
    bytes: Vec<u8>,
}

impl WatchFaultProxy {
    /// Takes over all watches that begin from now on. `otherwise` decides on other requests.
    pub fn start(
        proxy: &Proxy,
        manner: Manner,
        otherwise: impl Fn(&RequestHead) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let watch_fault_proxy = Self(Arc::new(Mutex::new(Office {
            manner,
            lines: Vec::new(),
            carried: 0,
        })));
        let hired = watch_fault_proxy.clone();
        proxy.set_fault(Box::new(move |head| match head.verb {
            // Only a plain list can return an older state.
            Verb::Watch if head.is_streaming_list() => Fault::Answer(Answer::no_watch_list()),
            Verb::Watch => hired.carry(head),
            _ => otherwise(head),
        }));
        watch_fault_proxy
    }

    /// Sets what happens to events from now on.
    pub fn set(&self, manner: Manner) {
        self.office().manner = manner;
    }

    /// The number of events held or delivered so far, without bookmarks.
    pub fn carried(&self) -> usize {
        self.office().carried
    }

    /// Delivers the held events of a resource.
    pub fn release(&self, resource: &str, order: Order) {
        for line in &mut self.office().lines {
            if line.resource == resource {
                let held = std::mem::take(&mut line.held);
                for mail in sorted(held, order) {
                    let _ = line.to.send(mail.bytes);
                }
            }
        }
    }

    fn carry(&self, head: &RequestHead) -> Fault {
        let (from_server, incoming) = mpsc::unbounded_channel();
        let (to, to_operator) = mpsc::unbounded_channel();
        let mut office = self.office();
        // A new watch gets the events again that the last watch held.
        office.lines.retain(|line| line.resource != head.resource);
        office.lines.push(Line {
            resource: head.resource.clone(),
            to,
            held: Vec::new(),
            history: Vec::new(),
        });
        tokio::spawn(collect(self.clone(), head.resource.clone(), incoming));
        Fault::Between(from_server, to_operator)
    }

    fn office(&self) -> MutexGuard<'_, Office> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn collect(
    watch_fault_proxy: WatchFaultProxy,
    resource: String,
    mut incoming: UnboundedReceiver<Vec<u8>>,
) {
    while let Some(bytes) = incoming.recv().await {
        watch_fault_proxy
            .office()
            .receive(&resource, Mail::new(bytes));
    }
    // The API server has ended the watch.
    let mut office = watch_fault_proxy.office();
    office.lines.retain(|line| line.resource != resource);
}

impl Office {
    fn receive(&mut self, resource: &str, mail: Mail) {
        self.carried += usize::from(mail.about.is_some());
        let line = self.lines.iter_mut().find(|line| line.resource == resource);
        let Some(line) = line else { return };
        match self.manner {
            Manner::Hold => line.held.push(mail),
            Manner::Pass => {
                let _ = line.to.send(mail.bytes);
            }
            Manner::Repeat => {
                let _ = line.to.send(mail.bytes.clone());
                line.history.push(mail);
                for past in &line.history {
                    let _ = line.to.send(past.bytes.clone());
                }
            }
        }
    }
}

impl Mail {
    fn new(bytes: Vec<u8>) -> Self {
        let event: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let name = event["object"]["metadata"]["name"].as_str();
        Self {
            about: name.map(str::to_owned),
            bytes,
        }
    }
}

fn sorted(held: Vec<Mail>, order: Order) -> Vec<Mail> {
    if order == Order::AsItCame {
        return held;
    }
    let mut names = BTreeSet::new();
    let last_first = held.iter().rev().filter_map(|mail| mail.about.clone());
    let objects: Vec<String> = last_first
        .filter(|name| names.insert(name.clone()))
        .collect();
    let events_of = |name: &String| {
        let of_it = held.iter().filter(|mail| mail.about.as_ref() == Some(name));
        let all: Vec<Mail> = of_it.cloned().collect();
        match order {
            Order::LastEvents => all.last().cloned().into_iter().collect(),
            _ => all,
        }
    };
    objects.iter().flat_map(events_of).collect()
}
