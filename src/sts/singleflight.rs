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
    calls: Calls,
}

/// The state of the calls about one pair. Lives as long as a [`Subscriber`] or an [`InFlight`] does.
#[derive(Debug)]
pub(super) struct Call {
    hash: Fingerprint,
    calls: Calls,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    in_flight: bool,
    completed: u64,
    last: Option<CallerIdentityReply>,
}

/// One request's view of a [`Call`].
pub(super) struct Subscriber {
    call: Arc<Call>,
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
    call: Arc<Call>,
}

impl SingleFlight {
    /// Subscribes to the calls about a pair.
    pub(super) fn join(&self, hash: Fingerprint) -> Subscriber {
        let call = self.call(hash);
        let state = call.state.subscribe();
        let seen = state.borrow().completed;
        Subscriber { call, state, seen }
    }

    fn call(&self, hash: Fingerprint) -> Arc<Call> {
        let mut calls = lock(&self.calls);
        if let Some(call) = calls.get(&hash).and_then(Weak::upgrade) {
            return call;
        }
        let call = Arc::new(Call {
            hash,
            calls: Arc::clone(&self.calls),
            state: watch::Sender::default(),
        });
        calls.insert(hash, Arc::downgrade(&call));
        call
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut calls = lock(&self.calls);
        // By now another `Call` may have replaced this one in the map.
        if calls
            .get(&self.hash)
            .is_some_and(|call| call.strong_count() == 0)
        {
            calls.remove(&self.hash);
        }
    }
}

impl Subscriber {
    /// The current state; [`Self::changed`] then waits for later changes.
    pub(super) fn poll(&mut self) -> CallState {
        let state = self.state.borrow_and_update();
        match &state.last {
            Some(reply) if state.completed > self.seen => CallState::Done(reply.clone()),
            _ if state.in_flight => CallState::InFlight,
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
        let started = self.call.state.send_if_modified(|state| {
            let may_start = !state.in_flight && state.completed == self.seen;
            state.in_flight |= may_start;
            may_start
        });
        started.then(|| InFlight {
            call: Arc::clone(&self.call),
        })
    }
}

impl InFlight {
    /// Ends the call and gives its reply to all subscribers.
    pub(super) fn complete(self, reply: CallerIdentityReply) {
        self.call.state.send_modify(|state| {
            state.completed += 1;
            state.last = Some(reply);
        });
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.call.state.send_modify(|state| state.in_flight = false);
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
    fn one_call_at_a_time_serves_all_subscribers() -> Result<(), getrandom::Error> {
        let hash = FingerprintKey::random()?.of(
            &KeyPair {
                access_key_id: SecretText::new(String::new()),
                secret_access_key: SecretText::new(String::new()),
            },
            &[],
        );
        let single_flight = SingleFlight::default();
        let (one, mut other) = (single_flight.join(hash), single_flight.join(hash));
        let flight = one.try_start();
        assert!(flight.is_some() && other.try_start().is_none());
        drop(one);
        if let Some(flight) = flight {
            flight.complete(CallerIdentityReply {
                answer: Answer::Outage(Reason::StsUnavailable),
                at: tokio::time::Instant::now(),
            });
        }
        assert!(
            other.try_start().is_none(),
            "the reply is for this subscriber too"
        );
        assert!(matches!(other.poll(), CallState::Done(_)));
        let mut late = single_flight.join(hash);
        assert!(matches!(late.poll(), CallState::Idle) && late.try_start().is_some());
        assert_eq!(lock(&single_flight.calls).len(), 1);
        drop((other, late));
        assert_eq!(lock(&single_flight.calls).len(), 0);
        Ok(())
    }
}
