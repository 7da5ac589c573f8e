//! Who carries the operator's mail: every event of its watches goes through these hands, and is
//! passed on late, in another order, once or several times, or never.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cluster::proxy::{Answer, Fault, Proxy, RequestHead, Verb};
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What becomes of an event that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It is kept until it is released.
    Hold,
    /// It is passed on, and after it everything that came before it, and itself.
    Repeat,
    /// It is passed on.
    Pass,
}

/// What to release of what is held, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As it came.
    AsItCame,
    /// Object by object, the one first that came last; each object's own events as they came.
    LastObjectFirst,
    /// Of each object nothing but the last event.
    LastEvents,
}

/// The courier of one proxy.
#[derive(Clone)]
pub struct Courier(Arc<Mutex<Office>>);

struct Office {
    manner: Manner,
    lines: Vec<Line>,
    carried: usize,
}

/// A watch that is under way.
struct Line {
    resource: String,
    to: UnboundedSender<Vec<u8>>,
    held: Vec<Mail>,
    history: Vec<Mail>,
}

#[derive(Clone)]
struct Mail {
    /// The object's name, or nothing if it is a bookmark or an error.
    about: Option<String>,
    bytes: Vec<u8>,
}

impl Courier {
    /// Takes over all watches that begin from now on. Other requests are asked `otherwise`.
    pub fn employ(
        proxy: &Proxy,
        manner: Manner,
        otherwise: impl Fn(&RequestHead) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let courier = Self(Arc::new(Mutex::new(Office {
            manner,
            lines: Vec::new(),
            carried: 0,
        })));
        let hired = courier.clone();
        proxy.set_fault(Box::new(move |head| match head.verb {
            // An older list can only be had as a list.
            Verb::Watch if head.is_streaming_list() => Fault::Answer(Answer::no_watch_list()),
            Verb::Watch => hired.carry(head),
            _ => otherwise(head),
        }));
        courier
    }

    /// What becomes of events from now on.
    pub fn set(&self, manner: Manner) {
        self.office().manner = manner;
    }

    /// How many events were held or passed on so far, bookmarks aside.
    pub fn carried(&self) -> usize {
        self.office().carried
    }

    /// Passes on what is held of a resource.
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
        // A watch that begins anew gets again what the last one held.
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

async fn collect(courier: Courier, resource: String, mut incoming: UnboundedReceiver<Vec<u8>>) {
    while let Some(bytes) = incoming.recv().await {
        courier.office().receive(&resource, Mail::new(bytes));
    }
    // The API server has ended it.
    let mut office = courier.office();
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
