//! How many reconciles of a namespace are in progress at most. The order of a fair queue is not enough: without a limit,
//! a namespace with a single resource would wait for a place, and its requests would wait at the API server beside those of
//! another namespace's burst.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// A namespace gets 1 in this many places, and [`MIN_SHARE`] at least, while another namespace is active. 1 in this
/// many places is never given to a namespace, active alone or not, since the requests of its reconciles may hang.
const SHARE: usize = 8;

/// With a second place, a burst is hardly slower than alone, and hardly delays others. Each further place delays them
/// in proportion.
const MIN_SHARE: usize = 2;

/// The places of reconciles in progress.
#[derive(Debug)]
pub(super) struct Places {
    total: usize,
    held: usize,
    namespaces: HashMap<Arc<str>, Active>,
    /// The namespaces of the last reconciles, as many as there are places: a namespace stays active between 2 of its
    /// reconciles, and a burst is over some reconciles after its last one. No clock is needed.
    recent: VecDeque<Arc<str>>,
}

/// An active namespace: one that holds a place, or did so recently.
#[derive(Debug, Default)]
struct Active {
    held: usize,
    recent: usize,
}

impl Places {
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            held: 0,
            namespaces: HashMap::new(),
            recent: VecDeque::with_capacity(total),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.held >= self.total
    }

    /// Whether a namespace may take a place.
    pub(super) fn has_room(&self, namespace: &str) -> bool {
        let active = self.namespaces.get(namespace);
        let others = self.namespaces.len() > usize::from(active.is_some());
        let share = self.total / SHARE;
        let limit = if others {
            share.max(MIN_SHARE)
        } else {
            self.total - share
        };
        !self.is_full() && active.map_or(0, |active| active.held) < limit
    }

    /// Takes a place for a reconcile that begins.
    pub(super) fn begin(&mut self, namespace: &Arc<str>) {
        if self.recent.len() >= self.total
            && let Some(oldest) = self.recent.pop_front()
        {
            self.change(&oldest, |active| active.recent -= 1);
        }
        self.recent.push_back(Arc::clone(namespace));
        self.change(namespace, |active| active.recent += 1);
        self.resume(namespace);
    }

    /// Takes a place for a reconcile that continues.
    pub(super) fn resume(&mut self, namespace: &Arc<str>) {
        self.held += 1;
        self.change(namespace, |active| active.held += 1);
    }

    /// Returns a place.
    pub(super) fn release(&mut self, namespace: &Arc<str>) {
        self.held -= 1;
        self.change(namespace, |active| active.held -= 1);
    }

    fn change(&mut self, namespace: &Arc<str>, change: impl FnOnce(&mut Active)) {
        let active = self.namespaces.entry(Arc::clone(namespace)).or_default();
        change(active);
        if (active.held, active.recent) == (0, 0) {
            self.namespaces.remove(namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(namespace: &str) -> Arc<str> {
        Arc::from(namespace)
    }

    /// Begins reconciles of a namespace while it has room, and returns how many began.
    fn fill(places: &mut Places, namespace: &str) -> usize {
        let mut began = 0;
        while places.has_room(namespace) {
            places.begin(&name(namespace));
            began += 1;
        }
        began
    }

    fn once(places: &mut Places, namespace: &str) {
        places.begin(&name(namespace));
        places.release(&name(namespace));
    }

    #[test]
    fn a_namespace_alone_leaves_an_eighth_of_the_places_and_no_more() {
        for (total, limit) in [(1, 1), (2, 2), (7, 7), (8, 7), (16, 14), (64, 56)] {
            assert_eq!(
                fill(&mut Places::new(total), "burst"),
                limit,
                "of {total} places"
            );
        }
    }

    #[test]
    fn a_namespace_beside_others_gets_an_eighth_and_two_places_at_least() {
        for (total, limit) in [(1, 0), (2, 1), (4, 2), (16, 2), (64, 8)] {
            let mut places = Places::new(total);
            places.begin(&name("quiet"));
            assert_eq!(fill(&mut places, "burst"), limit, "of {total} places");
            assert!(places.has_room("quiet") || places.is_full());
        }
    }

    #[test]
    fn a_burst_keeps_back_until_as_many_reconciles_as_places_began_after_the_last_of_another() {
        let mut places = Places::new(16);
        assert_eq!(fill(&mut places, "burst"), 14);
        once(&mut places, "quiet");
        for _ in 0..13 {
            assert!(!places.has_room("burst"));
            places.release(&name("burst"));
        }
        places.release(&name("burst"));
        for _ in 0..7 {
            assert_eq!(fill(&mut places, "burst"), 2);
            places.release(&name("burst"));
            places.release(&name("burst"));
        }
        once(&mut places, "burst");
        assert_eq!(fill(&mut places, "burst"), 14, "16 began since");
    }

    #[test]
    fn a_reconcile_that_goes_on_takes_a_place_but_does_not_count_twice() {
        let mut places = Places::new(2);
        once(&mut places, "quiet");
        places.begin(&name("burst"));
        for _ in 0..5 {
            places.release(&name("burst"));
            places.resume(&name("burst"));
        }
        assert_eq!(places.held, 1);
        assert_eq!(places.namespaces.len(), 2, "the quiet one is still recent");
        once(&mut places, "burst");
        assert_eq!(places.namespaces.len(), 1);
    }

    #[test]
    fn an_idle_process_remembers_as_many_namespaces_as_places_at_most() {
        let mut places = Places::new(4);
        for number in 0..100 {
            once(&mut places, &number.to_string());
        }
        assert_eq!((places.held, places.namespaces.len()), (0, 4));
    }
}
