//! The queue: pure, and fast for any number of waiting items.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A queue that serves namespaces in turn, and within a namespace first come, first served. The state of
/// a namespace is dropped with its last item.
#[derive(Debug)]
pub struct FairQueue<T> {
    lanes: HashMap<Arc<str>, NamespaceLane<T>>,
    turns: BTreeMap<u64, Arc<str>>,
    clock: u64,
    len: usize,
}

/// The place of an item in a [`FairQueue`].
#[derive(Clone, Debug)]
pub struct Ticket {
    namespace: Arc<str>,
    number: u64,
}

/// The items of one namespace. A map by number, not a deque: the removal of an item needs no search.
#[derive(Debug)]
struct NamespaceLane<T> {
    turn: u64,
    items: BTreeMap<u64, T>,
}

impl<T> FairQueue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: BTreeMap::new(),
            clock: 0,
            len: 0,
        }
    }

    /// Adds an item, and returns its place.
    pub fn push(&mut self, namespace: &str, item: T) -> Ticket {
        self.clock += 1;
        self.len += 1;
        let number = self.clock;
        let known = self.lanes.get_key_value(namespace);
        let namespace = known.map_or_else(|| Arc::from(namespace), |(name, _)| Arc::clone(name));
        if let Some(lane) = self.lanes.get_mut(&namespace) {
            lane.items.insert(number, item);
        } else {
            let lane = NamespaceLane {
                turn: number,
                items: BTreeMap::from([(number, item)]),
            };
            self.lanes.insert(Arc::clone(&namespace), lane);
            self.turns.insert(number, Arc::clone(&namespace));
        }
        Ticket { namespace, number }
    }

    /// Pops the next item.
    pub fn pop(&mut self) -> Option<T> {
        self.pop_where(|_, _| true)
    }

    /// Pops the next item of the namespaces that `filter` selects by name and number of waiting items.
    pub fn pop_where(&mut self, filter: impl Fn(&str, usize) -> bool) -> Option<T> {
        let turn = self.order(filter)?;
        self.clock += 1;
        let namespace = self.turns.remove(&turn)?;
        let lane = self.lanes.get_mut(&namespace)?;
        let (_, item) = lane.items.pop_first()?;
        if lane.items.is_empty() {
            self.lanes.remove(&namespace);
        } else {
            lane.turn = self.clock;
            self.turns.insert(self.clock, namespace);
        }
        self.len -= 1;
        Some(item)
    }

    /// Pops the oldest item of the namespace with the most items. It looks at every namespace.
    pub fn pop_longest(&mut self) -> Option<T> {
        let longest = self.lanes.values().map(|lane| lane.items.len()).max()?;
        self.pop_where(|_, waiting| waiting == longest)
    }

    /// Removes a waiting item; `None` if the item was served already.
    pub fn remove(&mut self, ticket: &Ticket) -> Option<T> {
        let lane = self.lanes.get_mut(&ticket.namespace)?;
        let item = lane.items.remove(&ticket.number)?;
        if lane.items.is_empty() {
            self.turns.remove(&lane.turn);
            self.lanes.remove(&ticket.namespace);
        }
        self.len -= 1;
        Some(item)
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no item waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The position of the first namespace that `filter` selects.
    fn order(&self, filter: impl Fn(&str, usize) -> bool) -> Option<u64> {
        let mut turns = self.turns.iter();
        let filter = |namespace: &Arc<str>| {
            let lane = self.lanes.get(namespace);
            lane.is_some_and(|lane| filter(namespace, lane.items.len()))
        };
        turns.find_map(|(turn, namespace)| filter(namespace).then_some(*turn))
    }
}

impl Ticket {
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
