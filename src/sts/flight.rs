//! One call at a time for each pair, shared by all who ask about it meanwhile.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::watch;

use super::Reply;
use crate::fingerprint::Fingerprint;
use crate::lock::lock;

type Runways = Arc<Mutex<HashMap<Fingerprint, Weak<Runway>>>>;

/// The calls that are under way or waited for.
#[derive(Debug, Default)]
pub(super) struct Flights {
    runways: Runways,
}

/// Where the calls about one pair start and land. It lives as long as somebody asks.
#[derive(Debug)]
pub(super) struct Runway {
    hash: Fingerprint,
    runways: Runways,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    flying: bool,
    landings: u64,
    last: Option<Reply>,
}

/// What somebody who asks sees of a runway.
pub(super) struct Spotter {
    runway: Arc<Runway>,
    state: watch::Receiver<State>,
    seen: u64,
}

/// What is up on the runway.
pub(super) enum Sight {
    /// A call ended since the spotter came; its reply is for all who were there.
    Landed(Reply),
    /// A call is under way.
    Flying,
    /// Nobody calls.
    Clear,
}

/// A call under way. Dropped before it landed, it leaves the runway clear for whoever waits.
pub(super) struct Flight {
    runway: Arc<Runway>,
}

impl Flights {
    /// Joins those who ask about a pair.
    pub(super) fn spot(&self, hash: Fingerprint) -> Spotter {
        let runway = self.runway(hash);
        let state = runway.state.subscribe();
        let seen = state.borrow().landings;
        Spotter {
            runway,
            state,
            seen,
        }
    }

    fn runway(&self, hash: Fingerprint) -> Arc<Runway> {
        let mut runways = lock(&self.runways);
        if let Some(runway) = runways.get(&hash).and_then(Weak::upgrade) {
            return runway;
        }
        let runway = Arc::new(Runway {
            hash,
            runways: Arc::clone(&self.runways),
            state: watch::Sender::default(),
        });
        runways.insert(hash, Arc::downgrade(&runway));
        runway
    }
}

impl Drop for Runway {
    fn drop(&mut self) {
        let mut runways = lock(&self.runways);
        // By now another runway may have taken the place of this one.
        if runways
            .get(&self.hash)
            .is_some_and(|runway| runway.strong_count() == 0)
        {
            runways.remove(&self.hash);
        }
    }
}

impl Spotter {
    /// Looks at the runway; [`Self::changed`] then waits for what happens after this look.
    pub(super) fn look(&mut self) -> Sight {
        let state = self.state.borrow_and_update();
        match &state.last {
            Some(reply) if state.landings > self.seen => Sight::Landed(reply.clone()),
            _ if state.flying => Sight::Flying,
            _ => Sight::Clear,
        }
    }

    /// Waits until something happens.
    pub(super) async fn changed(&mut self) {
        // The sender lives in the runway, which lives as long as this.
        let _ = self.state.changed().await;
    }

    /// Starts a call, unless one is under way or has landed in the meantime.
    pub(super) fn take_off(&self) -> Option<Flight> {
        let started = self.runway.state.send_if_modified(|state| {
            let clear = !state.flying && state.landings == self.seen;
            state.flying |= clear;
            clear
        });
        started.then(|| Flight {
            runway: Arc::clone(&self.runway),
        })
    }
}

impl Flight {
    /// Ends the call and gives its reply to all who wait for it.
    pub(super) fn land(self, reply: Reply) {
        self.runway.state.send_modify(|state| {
            state.landings += 1;
            state.last = Some(reply);
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.runway.state.send_modify(|state| state.flying = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::Reason, fingerprint::FingerprintKey, pair::KeyPair, pair::SecretText, verdict::Answer,
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
        let flights = Flights::default();
        let (one, mut other) = (flights.spot(hash), flights.spot(hash));
        let flight = one.take_off();
        assert!(flight.is_some() && other.take_off().is_none());
        drop(one);
        if let Some(flight) = flight {
            flight.land(Reply {
                answer: Answer::Outage(Reason::StsUnavailable),
                at: tokio::time::Instant::now(),
            });
        }
        assert!(other.take_off().is_none(), "what landed is for it as well");
        assert!(matches!(other.look(), Sight::Landed(_)));
        let mut late = flights.spot(hash);
        assert!(matches!(late.look(), Sight::Clear) && late.take_off().is_some());
        assert_eq!(lock(&flights.runways).len(), 1);
        drop((other, late));
        assert_eq!(lock(&flights.runways).len(), 0);
        Ok(())
    }
}
