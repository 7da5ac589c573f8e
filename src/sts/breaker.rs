//! A circuit breaker for each endpoint. While the breaker is open, 1 request at a time probes the
//! endpoint; the first answer of AWS closes the breaker and releases all waiting requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    api::Reason,
    domain::{fingerprint::Fingerprint, lock::lock, verdict::Answer},
    sts::fair_semaphore::{FairSemaphore, Permit},
};

/// The minimum interval between the starts of 2 probes of an endpoint that gives no answer.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Consecutive failures of a single pair that open the breaker. Consecutive failures of 2 different pairs
/// open the breaker at once: the cause of a single pair's failures can be the pair itself.
const MAX_FAILURES_OF_ONE_PAIR: u32 = 4;
/// How long an open breaker without waiting requests is kept. Users name the regions: the map must not grow.
const IDLE_TTL: Duration = Duration::from_mins(1);

/// The breakers, by endpoint.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    breakers: Mutex<HashMap<String, Arc<Breaker>>>,
}

/// The breaker of one endpoint.
#[derive(Debug)]
pub(super) struct Breaker {
    state: watch::Sender<State>,
    probes: FairSemaphore,
    next_probe: Mutex<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    health: Health,
    /// When the endpoint answered last.
    answered: Option<Instant>,
    /// When a call ended last.
    changed: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Health {
    Closed,
    /// Consecutive failures, all of this pair.
    Suspect(Fingerprint, u32),
    Open(Reason),
}

/// One request's view of a breaker.
pub(super) struct Observer {
    breaker: Arc<Breaker>,
    state: watch::Receiver<State>,
}

impl Breakers {
    /// Subscribes to the breaker of an endpoint.
    pub(super) fn observe(&self, endpoint: &str) -> Observer {
        let mut breakers = lock(&self.breakers);
        if !breakers.contains_key(endpoint) {
            let now = Instant::now();
            breakers.retain(|_, breaker| Arc::strong_count(breaker) > 1 || breaker.is_kept(now));
            breakers.insert(endpoint.to_owned(), Arc::new(Breaker::new(now)));
        }
        let breaker = breakers.get(endpoint).map(Arc::clone);
        drop(breakers);
        let breaker = breaker.unwrap_or_else(|| Arc::new(Breaker::new(Instant::now())));
        let state = breaker.state.subscribe();
        Observer { breaker, state }
    }

    /// Why an endpoint gives no answer, if its breaker is open.
    pub(super) fn outage(&self, endpoint: &str) -> Option<Reason> {
        let breakers = lock(&self.breakers);
        breakers.get(endpoint).and_then(|breaker| breaker.outage())
    }

    /// The number of requests to endpoints whose breakers are open.
    pub(super) fn held(&self) -> usize {
        let breakers = lock(&self.breakers);
        let open = breakers
            .values()
            .filter(|breaker| breaker.outage().is_some());
        open.map(|breaker| breaker.state.receiver_count()).sum()
    }
}

impl Breaker {
    fn new(now: Instant) -> Self {
        Self {
            state: watch::Sender::new(State {
                health: Health::Closed,
                answered: None,
                changed: now,
            }),
            probes: FairSemaphore::new(1),
            next_probe: Mutex::new(now),
        }
    }

    fn outage(&self) -> Option<Reason> {
        self.state.borrow().outage()
    }

    fn is_kept(&self, now: Instant) -> bool {
        let state = self.state.borrow();
        let is_idle = now.saturating_duration_since(state.changed) >= IDLE_TTL;
        !is_idle && !matches!(state.health, Health::Closed)
    }

    /// Waits for the permit to probe an endpoint that gives no answer, namespaces in turn.
    pub(super) async fn probe(&self, namespace: &str) -> Permit {
        let permit = self.probes.acquire(namespace).await;
        let at = *lock(&self.next_probe);
        sleep_until(at).await;
        permit
    }

    /// Records the start of a call: the next probe waits for [`PROBE_INTERVAL`].
    pub(super) fn begin(&self, now: Instant) {
        *lock(&self.next_probe) = now + PROBE_INTERVAL;
    }

    /// Records the end of a call.
    pub(super) fn end(&self, pair: Fingerprint, began: Instant, answer: &Answer) {
        self.record(pair, began, answer, Instant::now());
    }

    fn record(&self, pair: Fingerprint, began: Instant, answer: &Answer, now: Instant) {
        self.state.send_if_modified(|state| {
            let was_open = state.outage().is_some();
            state.changed = now;
            match answer {
                // The call began before the last answer: the endpoint has recovered since.
                Answer::Outage(_) if state.answered.is_some_and(|at| began < at) => {}
                Answer::Outage(reason) => state.health = state.health.failed(pair, *reason),
                // Any answer of AWS shows that the endpoint works. A rejection of an account and throttling
                // concern only this request.
                _ => {
                    state.health = Health::Closed;
                    state.answered = Some(now);
                }
            }
            let is_open = state.outage().is_some();
            if is_open && !was_open {
                *lock(&self.next_probe) = now + PROBE_INTERVAL;
            }
            was_open != is_open
        });
    }
}

impl State {
    fn outage(&self) -> Option<Reason> {
        match self.health {
            Health::Open(reason) => Some(reason),
            Health::Closed | Health::Suspect(..) => None,
        }
    }
}

impl Health {
    fn failed(self, pair: Fingerprint, reason: Reason) -> Self {
        match self {
            Self::Closed => Self::Suspect(pair, 1),
            Self::Suspect(suspect, failures)
                if suspect == pair && failures + 1 < MAX_FAILURES_OF_ONE_PAIR =>
            {
                Self::Suspect(pair, failures + 1)
            }
            Self::Suspect(..) | Self::Open(_) => Self::Open(reason),
        }
    }
}

impl Observer {
    /// Why the endpoint gives no answer, if the breaker is open. [`Self::changed`] then waits for later
    /// changes.
    pub(super) fn outage(&mut self) -> Option<Reason> {
        self.state.borrow_and_update().outage()
    }

    /// Waits until the breaker opens or closes.
    pub(super) async fn changed(&mut self) {
        // Cannot fail: the sender lives in the breaker, which `self` keeps alive.
        let _ = self.state.changed().await;
    }

    /// An owned handle, since [`Self::changed`] borrows `self` mutably.
    pub(super) fn breaker(&self) -> Arc<Breaker> {
        Arc::clone(&self.breaker)
    }
}

#[cfg(test)]
mod tests;
