//! Which STS request is next. Pure: the caller passes the time.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::Priority;
use crate::domain::fair_queue::{FairQueue, Ticket as QueueTicket};

/// 1 of this many consecutive calls is for an interval proof, if an interval proof waits.
const SHARE: u32 = 4;
/// An interval proof that has waited this long moves to the queue of new pairs. Otherwise a source whose
/// ID changes again and again would limit all proofs of the cluster to a quarter of the calls. New pairs of
/// the same namespace do not wait behind such a proof: both are served alternately, as 2 namespaces are.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waiting new pairs and interval proofs, in 2 queues that serve namespaces in turn.
#[derive(Debug)]
pub(super) struct Turns<T> {
    new: FairQueue<(u64, T)>,
    proofs: FairQueue<(u64, T)>,
    places: HashMap<u64, (Priority, QueueTicket)>,
    /// Interval proofs in the order of arrival.
    arrivals: BTreeMap<u64, Instant>,
    last: u64,
    /// Calls since the last interval proof, counted up to [`SHARE`].
    since_proof: u32,
}

/// The place of a waiting request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self {
            new: FairQueue::new(),
            proofs: FairQueue::new(),
            places: HashMap::new(),
            arrivals: BTreeMap::new(),
            last: 0,
            since_proof: 0,
        }
    }

    pub(super) fn push(
        &mut self,
        urgency: Priority,
        namespace: &str,
        item: T,
        now: Instant,
    ) -> Ticket {
        self.last += 1;
        let number = self.last;
        if urgency == Priority::IntervalProof {
            self.arrivals.insert(number, now);
        }
        let place = self.queue(urgency).push(namespace, (number, item));
        self.places.insert(number, (urgency, place));
        Ticket(number)
    }

    pub(super) fn pop(&mut self, now: Instant) -> Option<T> {
        self.promote(now);
        let proofs_turn = self.since_proof + 1 >= SHARE;
        let proof = !self.proofs.is_empty() && (self.new.is_empty() || proofs_turn);
        let (number, item) = if proof {
            self.since_proof = 0;
            self.proofs.pop()?
        } else {
            self.since_proof = (self.since_proof + 1).min(SHARE);
            self.new.pop()?
        };
        self.places.remove(&number);
        self.arrivals.remove(&number);
        Some(item)
    }

    /// Removes a waiting item; `None` if the item was served already.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let (urgency, place) = self.places.remove(&ticket.0)?;
        self.arrivals.remove(&ticket.0);
        self.queue(urgency).remove(&place).map(|(_, item)| item)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn promote(&mut self, now: Instant) {
        let is_old = |since: Instant| now.saturating_duration_since(since) >= PATIENCE;
        while let Some(first) = self.arrivals.first_entry()
            && is_old(*first.get())
        {
            let (number, _) = first.remove_entry();
            let Some((urgency, place)) = self.places.get_mut(&number) else {
                continue;
            };
            if let Some(item) = self.proofs.remove(place) {
                // The name of a namespace holds no `/`, so old proofs have a lane of their own.
                let line = format!("{}/", place.namespace());
                *place = self.new.push(&line, item);
                *urgency = Priority::NewPair;
            }
        }
    }

    fn queue(&mut self, urgency: Priority) -> &mut FairQueue<(u64, T)> {
        match urgency {
            Priority::NewPair => &mut self.new,
            Priority::IntervalProof => &mut self.proofs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Priority::*, *};

    fn turns(waiting: &[(Priority, &str, &'static str)], now: Instant) -> Turns<&'static str> {
        let mut turns = Turns::new();
        for (urgency, namespace, item) in waiting {
            turns.push(*urgency, namespace, *item, now);
        }
        turns
    }

    fn all(turns: &mut Turns<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| turns.pop(now)).collect()
    }

    #[test]
    fn of_four_turns_one_is_for_an_interval_proof() {
        let now = Instant::now();
        let mut waiting = vec![(IntervalProof, "quiet", "proof"); 3];
        waiting.extend([(NewPair, "flood", "new"); 8]);
        let mut turns = turns(&waiting, now);
        let served = all(&mut turns, now);
        let expected = [
            "new", "new", "new", "proof", "new", "new", "new", "proof", "new", "new", "proof",
        ];
        assert_eq!(served, expected);
        assert!(turns.is_empty());
    }

    #[test]
    fn either_kind_gets_all_turns_while_the_other_does_not_wait() {
        let now = Instant::now();
        for urgency in [NewPair, IntervalProof] {
            let mut turns = turns(&[(urgency, "a", "one"); 5], now);
            assert_eq!(all(&mut turns, now).len(), 5);
        }
    }

    #[test]
    fn a_proof_that_has_waited_a_minute_takes_turns_with_new_pairs() {
        let now = Instant::now();
        let mut turns = turns(&[(IntervalProof, "a", "a"), (IntervalProof, "b", "b")], now);
        let then = now + PATIENCE;
        for _ in 0..4 {
            turns.push(NewPair, "flood", "new", now);
        }
        turns.push(IntervalProof, "c", "late", then);
        assert_eq!(
            all(&mut turns, then),
            ["new", "a", "b", "late", "new", "new", "new"]
        );
    }

    #[test]
    fn a_new_pair_does_not_wait_behind_the_old_proofs_of_its_namespace() {
        let now = Instant::now();
        let mut turns = turns(&[(IntervalProof, "a", "proof"); 100], now);
        let then = now + PATIENCE;
        assert_eq!(turns.pop(then), Some("proof"));
        turns.push(NewPair, "a", "new", then);
        let served = [turns.pop(then), turns.pop(then)];
        assert!(served.contains(&Some("new")), "{served:?}");
    }

    #[test]
    fn a_turn_that_is_given_up_is_nobodys_also_when_it_counts_as_new() {
        let now = Instant::now();
        let mut turns = Turns::new();
        let proof = turns.push(IntervalProof, "a", "proof", now);
        let new = turns.push(NewPair, "a", "new", now);
        let later = turns.push(NewPair, "b", "later", now);
        assert_eq!(turns.pop(now + PATIENCE), Some("new"));
        assert_eq!(turns.remove(new), None);
        assert_eq!(turns.remove(proof), Some("proof"));
        assert_eq!(turns.remove(proof), None);
        assert_eq!(turns.len(), 1);
        assert_eq!(turns.remove(later), Some("later"));
        assert_eq!(turns.pop(now + PATIENCE), None);
    }
}
