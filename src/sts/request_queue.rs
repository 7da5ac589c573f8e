//! Which STS request is next. Pure: the caller passes the time.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::Priority;
use crate::domain::fair_queue::{FairQueue, Ticket as QueueTicket};

/// 1 of this many consecutive calls is for an interval proof, if an interval proof waits.
const PROOF_SHARE: u32 = 4;
/// An interval proof that has waited this long moves to the queue of new pairs. Otherwise a source whose
/// ID changes again and again would limit all proofs of the cluster to a quarter of the calls. New pairs of
/// the same namespace do not wait behind such a proof: both are served alternately, as 2 namespaces are.
const MAX_PROOF_WAIT: Duration = Duration::from_mins(1);

/// Waiting new pairs and interval proofs, in 2 queues that serve namespaces in turn.
#[derive(Debug)]
pub(super) struct RequestQueue<T> {
    new: FairQueue<(u64, T)>,
    proofs: FairQueue<(u64, T)>,
    tickets: HashMap<u64, (Priority, QueueTicket)>,
    /// Interval proofs in the order of arrival.
    arrivals: BTreeMap<u64, Instant>,
    last: u64,
    /// Calls since the last interval proof, counted up to [`PROOF_SHARE`].
    since_proof: u32,
}

/// The place of a waiting request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

impl<T> RequestQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            new: FairQueue::new(),
            proofs: FairQueue::new(),
            tickets: HashMap::new(),
            arrivals: BTreeMap::new(),
            last: 0,
            since_proof: 0,
        }
    }

    pub(super) fn push(
        &mut self,
        priority: Priority,
        namespace: &str,
        item: T,
        now: Instant,
    ) -> Ticket {
        self.last += 1;
        let number = self.last;
        if priority == Priority::IntervalProof {
            self.arrivals.insert(number, now);
        }
        let ticket = self.queue(priority).push(namespace, (number, item));
        self.tickets.insert(number, (priority, ticket));
        Ticket(number)
    }

    pub(super) fn pop(&mut self, now: Instant) -> Option<T> {
        self.promote(now);
        let proofs_turn = self.since_proof + 1 >= PROOF_SHARE;
        let proof = !self.proofs.is_empty() && (self.new.is_empty() || proofs_turn);
        let (number, item) = if proof {
            self.since_proof = 0;
            self.proofs.pop()?
        } else {
            self.since_proof = (self.since_proof + 1).min(PROOF_SHARE);
            self.new.pop()?
        };
        self.tickets.remove(&number);
        self.arrivals.remove(&number);
        Some(item)
    }

    /// Removes a waiting item; `None` if the item was served already.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let (priority, queue_ticket) = self.tickets.remove(&ticket.0)?;
        self.arrivals.remove(&ticket.0);
        let removed = self.queue(priority).remove(&queue_ticket);
        removed.map(|(_, item)| item)
    }

    pub(super) fn len(&self) -> usize {
        self.tickets.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    fn promote(&mut self, now: Instant) {
        let is_old = |since: Instant| now.saturating_duration_since(since) >= MAX_PROOF_WAIT;
        while let Some(first) = self.arrivals.first_entry()
            && is_old(*first.get())
        {
            let (number, _) = first.remove_entry();
            let Some((priority, ticket)) = self.tickets.get_mut(&number) else {
                continue;
            };
            if let Some(item) = self.proofs.remove(ticket) {
                // The name of a namespace holds no `/`, so old proofs have a lane of their own.
                let lane = format!("{}/", ticket.namespace());
                *ticket = self.new.push(&lane, item);
                *priority = Priority::NewPair;
            }
        }
    }

    fn queue(&mut self, priority: Priority) -> &mut FairQueue<(u64, T)> {
        match priority {
            Priority::NewPair => &mut self.new,
            Priority::IntervalProof => &mut self.proofs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Priority::*, *};

    fn queue_with(
        waiting: &[(Priority, &str, &'static str)],
        now: Instant,
    ) -> RequestQueue<&'static str> {
        let mut queue = RequestQueue::new();
        for (priority, namespace, item) in waiting {
            queue.push(*priority, namespace, *item, now);
        }
        queue
    }

    fn all(queue: &mut RequestQueue<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop(now)).collect()
    }

    #[test]
    fn one_of_four_calls_is_for_an_interval_proof() {
        let now = Instant::now();
        let mut waiting = vec![(IntervalProof, "quiet", "proof"); 3];
        waiting.extend([(NewPair, "flood", "new"); 8]);
        let mut queue = queue_with(&waiting, now);
        let served = all(&mut queue, now);
        let expected = [
            "new", "new", "new", "proof", "new", "new", "new", "proof", "new", "new", "proof",
        ];
        assert_eq!(served, expected);
        assert!(queue.is_empty());
    }

    #[test]
    fn either_kind_gets_all_calls_while_the_other_does_not_wait() {
        let now = Instant::now();
        for priority in [NewPair, IntervalProof] {
            let mut queue = queue_with(&[(priority, "a", "one"); 5], now);
            assert_eq!(all(&mut queue, now).len(), 5);
        }
    }

    #[test]
    fn a_proof_that_has_waited_a_minute_takes_turns_with_new_pairs() {
        let now = Instant::now();
        let mut queue = queue_with(&[(IntervalProof, "a", "a"), (IntervalProof, "b", "b")], now);
        let then = now + MAX_PROOF_WAIT;
        for _ in 0..4 {
            queue.push(NewPair, "flood", "new", now);
        }
        queue.push(IntervalProof, "c", "late", then);
        assert_eq!(
            all(&mut queue, then),
            ["new", "a", "b", "late", "new", "new", "new"]
        );
    }

    #[test]
    fn a_new_pair_does_not_wait_behind_the_old_proofs_of_its_namespace() {
        let now = Instant::now();
        let mut queue = queue_with(&[(IntervalProof, "a", "proof"); 100], now);
        let then = now + MAX_PROOF_WAIT;
        assert_eq!(queue.pop(then), Some("proof"));
        queue.push(NewPair, "a", "new", then);
        let served = [queue.pop(then), queue.pop(then)];
        assert!(served.contains(&Some("new")), "{served:?}");
    }

    #[test]
    fn a_removed_request_is_not_served_even_after_its_promotion() {
        let now = Instant::now();
        let mut queue = RequestQueue::new();
        let proof = queue.push(IntervalProof, "a", "proof", now);
        let new = queue.push(NewPair, "a", "new", now);
        let later = queue.push(NewPair, "b", "later", now);
        assert_eq!(queue.pop(now + MAX_PROOF_WAIT), Some("new"));
        assert_eq!(queue.remove(new), None);
        assert_eq!(queue.remove(proof), Some("proof"));
        assert_eq!(queue.remove(proof), None);
        assert_eq!(queue.len(), 1);
        assert_eq!(queue.remove(later), Some("later"));
        assert_eq!(queue.pop(now + MAX_PROOF_WAIT), None);
    }
}
