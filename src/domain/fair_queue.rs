//! The queue: pure, and fast for any number of waiting items.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A queue that serves namespaces in turn, and within a namespace first come, first served. The state of
/// a namespace is dropped with its last item.
#[derive(Debug)]
pub struct FairQueue<T> {
    lines: HashMap<Arc<str>, NamespaceLane<T>>,
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
            lines: HashMap::new(),
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
        let known = self.lines.get_key_value(namespace);
        let namespace = known.map_or_else(|| Arc::from(namespace), |(name, _)| Arc::clone(name));
        if let Some(line) = self.lines.get_mut(&namespace) {
            line.items.insert(number, item);
        } else {
            let line = NamespaceLane {
                turn: number,
                items: BTreeMap::from([(number, item)]),
            };
            self.lines.insert(Arc::clone(&namespace), line);
            self.turns.insert(number, Arc::clone(&namespace));
        }
        Ticket { namespace, number }
    }

    /// Pops the next item.
    pub fn pop(&mut self) -> Option<T> {
        self.pop_where(|_, _| true)
    }

    /// Pops the next item of the namespaces that `meant` selects by name and number of waiting items.
    pub fn pop_where(&mut self, meant: impl Fn(&str, usize) -> bool) -> Option<T> {
        let turn = self.order(meant)?;
        self.clock += 1;
        let namespace = self.turns.remove(&turn)?;
        let line = self.lines.get_mut(&namespace)?;
        let (_, item) = line.items.pop_first()?;
        if line.items.is_empty() {
            self.lines.remove(&namespace);
        } else {
            line.turn = self.clock;
            self.turns.insert(self.clock, namespace);
        }
        self.len -= 1;
        Some(item)
    }

    /// Pops the oldest item of the namespace with the most items. It looks at every namespace.
    pub fn pop_longest(&mut self) -> Option<T> {
        let longest = self.lines.values().map(|line| line.items.len()).max()?;
        self.pop_where(|_, waiting| waiting == longest)
    }

    /// Whether an item waits in a namespace that `meant` selects by name and number of waiting items.
    pub fn any_where(&self, meant: impl Fn(&str, usize) -> bool) -> bool {
        self.order(meant).is_some()
    }

    /// How many items wait in a namespace.
    #[must_use]
    pub fn waiting(&self, namespace: &str) -> usize {
        let line = self.lines.get(namespace);
        line.map_or(0, |line| line.items.len())
    }

    /// Removes a waiting item; `None` if the item was served already.
    pub fn remove(&mut self, place: &Ticket) -> Option<T> {
        let line = self.lines.get_mut(&place.namespace)?;
        let item = line.items.remove(&place.number)?;
        if line.items.is_empty() {
            self.turns.remove(&line.turn);
            self.lines.remove(&place.namespace);
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

    /// The position of the first namespace that `meant` selects.
    fn order(&self, meant: impl Fn(&str, usize) -> bool) -> Option<u64> {
        let mut turns = self.turns.iter();
        let meant = |namespace: &Arc<str>| {
            let line = self.lines.get(namespace);
            line.is_some_and(|line| meant(namespace, line.items.len()))
        };
        turns.find_map(|(turn, namespace)| meant(namespace).then_some(*turn))
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
