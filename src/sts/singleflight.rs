//! One call at a time for each pair, shared by all concurrent requests for that pair.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::watch;

use super::CallerIdentityReply;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::lock::lock;

type Calls = Arc<Mutex<HashMap<Fingerprint, Weak<Call>>>>;

/// The calls that are under way or that requests wait for.
#[derive(Debug, Default)]
pub(super) struct SingleFlight {
    runways: Calls,
}

/// The state of the calls about one pair. Lives as long as a [`Subscriber`] or an [`InFlight`] does.
#[derive(Debug)]
pub(super) struct Call {
    hash: Fingerprint,
    runways: Calls,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    flying: bool,
    landings: u64,
    last: Option<CallerIdentityReply>,
}

/// One request's view of a [`Call`].
pub(super) struct Subscriber {
    runway: Arc<Call>,
    state: watch::Receiver<State>,
    seen: u64,
}

/// The state of a [`Call`], for one subscriber.
pub(super) enum CallState {
    /// A call ended since the subscriber joined; its reply is for all subscribers of that time.
    Done(CallerIdentityReply),
    /// A call is under way.
    InFlight,
    /// No call is under way.
    Idle,
}

/// A call under way. If dropped before it completes, another subscriber can start a call.
pub(super) struct InFlight {
    runway: Arc<Call>,
}

impl SingleFlight {
    /// Subscribes to the calls about a pair.
    pub(super) fn join(&self, hash: Fingerprint) -> Subscriber {
        let runway = self.call(hash);
        let state = runway.state.subscribe();
        let seen = state.borrow().landings;
        Subscriber {
            runway,
            state,
            seen,
        }
    }

    fn call(&self, hash: Fingerprint) -> Arc<Call> {
        let mut runways = lock(&self.runways);
        if let Some(runway) = runways.get(&hash).and_then(Weak::upgrade) {
            return runway;
        }
        let runway = Arc::new(Call {
            hash,
            runways: Arc::clone(&self.runways),
            state: watch::Sender::default(),
        });
        runways.insert(hash, Arc::downgrade(&runway));
        runway
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut runways = lock(&self.runways);
        // By now another `Call` may have replaced this one in the map.
        if runways
            .get(&self.hash)
            .is_some_and(|runway| runway.strong_count() == 0)
        {
            runways.remove(&self.hash);
        }
    }
}

impl Subscriber {
    /// The current state; [`Self::changed`] then waits for later changes.
    pub(super) fn poll(&mut self) -> CallState {
        let state = self.state.borrow_and_update();
        match &state.last {
            Some(reply) if state.landings > self.seen => CallState::Done(reply.clone()),
            _ if state.flying => CallState::InFlight,
            _ => CallState::Idle,
        }
    }

    /// Waits until a call starts, completes or is dropped.
    pub(super) async fn changed(&mut self) {
        // Cannot fail: the sender lives in the `Call`, which `self` keeps alive.
        let _ = self.state.changed().await;
    }

    /// Starts a call, unless one is under way or has completed since this subscriber joined.
    pub(super) fn try_start(&self) -> Option<InFlight> {
        let started = self.runway.state.send_if_modified(|state| {
            let clear = !state.flying && state.landings == self.seen;
            state.flying |= clear;
            clear
        });
        started.then(|| InFlight {
            runway: Arc::clone(&self.runway),
        })
    }
}

impl InFlight {
    /// Ends the call and gives its reply to all subscribers.
    pub(super) fn complete(self, reply: CallerIdentityReply) {
        self.runway.state.send_modify(|state| {
            state.landings += 1;
            state.last = Some(reply);
        });
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.runway.state.send_modify(|state| state.flying = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::Reason,
        domain::{fingerprint::FingerprintKey, pair::KeyPair, pair::SecretText, verdict::Answer},
    };

    #[test]
    fn one_call_at_a_time_for_all_who_were_there() -> Result<(), getrandom::Error> {
        let hash = FingerprintKey::random()?.of(
            &KeyPair {
                access_key_id: SecretText::new(String::new()),
                secret_access_key: SecretText::new(String::new()),
            },
            &[],
        );
        let flights = SingleFlight::default();
        let (one, mut other) = (flights.join(hash), flights.join(hash));
        let flight = one.try_start();
        assert!(flight.is_some() && other.try_start().is_none());
        drop(one);
        if let Some(flight) = flight {
            flight.complete(CallerIdentityReply {
                answer: Answer::Outage(Reason::StsUnavailable),
                at: tokio::time::Instant::now(),
            });
        }
        assert!(other.try_start().is_none(), "what landed is for it as well");
        assert!(matches!(other.poll(), CallState::Done(_)));
        let mut late = flights.join(hash);
        assert!(matches!(late.poll(), CallState::Idle) && late.try_start().is_some());
        assert_eq!(lock(&flights.runways).len(), 1);
        drop((other, late));
        assert_eq!(lock(&flights.runways).len(), 0);
        Ok(())
    }
}
