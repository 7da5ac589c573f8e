//! The rate limit of calls to STS.
//!
//! `Waiter` resembles that of [`super::fair_semaphore::FairSemaphore`], but the queues and their tickets differ: one generic type
//! with a trait for both queues would be longer than the two.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::{
    Priority,
    request_queue::{RequestQueue, Ticket},
};
use crate::domain::lock::lock;

/// The calls per second in the long run, and the burst after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls per second.
    pub per_second: NonZeroU32,
    /// Calls at once with a full bucket.
    pub burst: NonZeroU32,
}

/// Grants calls at a [`Rate`], fairly between namespaces.
#[derive(Clone, Debug)]
pub struct Limiter {
    state: Arc<Mutex<State>>,
}

/// The right to one call. An unspent token returns to the bucket on drop.
#[derive(Debug)]
pub struct Token {
    state: Arc<Mutex<State>>,
    spent: bool,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    waiting: RequestQueue<oneshot::Sender<Token>>,
    /// Whether a `dispatch` task is running.
    dispatching: bool,
}

/// A token bucket, kept as the instant at which the bucket will be full again.
#[derive(Debug)]
struct Bucket {
    full_at: Instant,
    interval: Duration,
    burst_tolerance: Duration,
}

/// A place in the queue, given up on drop.
struct Waiter<'a> {
    state: &'a Mutex<State>,
    ticket: Ticket,
    granted: oneshot::Receiver<Token>,
}

enum Step {
    Grant(oneshot::Sender<Token>),
    Wait(Duration),
    Idle,
}

impl Rate {
    /// The given number of calls per second, and twice as many at once.
    #[must_use]
    pub fn per_second(per_second: NonZeroU32) -> Self {
        Self {
            per_second,
            burst: per_second.saturating_add(per_second.get()),
        }
    }
}

impl Default for Rate {
    /// 5 per second, 10 at once: far below the quota of STS for an account, and enough to prove 18,000 pairs an hour.
    fn default() -> Self {
        Self::per_second(NonZeroU32::MIN.saturating_add(4))
    }
}

impl Limiter {
    /// A limiter with a full bucket.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let state = State {
            bucket: Bucket::new(rate),
            waiting: RequestQueue::new(),
            dispatching: false,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Waits for a token. A dropped future leaves the queue and takes no token.
    pub async fn acquire(&self, priority: Priority, namespace: &str) -> Token {
        loop {
            let waiter = {
                let mut state = lock(&self.state);
                let now = Instant::now();
                if state.waiting.is_empty() && state.bucket.take(now).is_ok() {
                    return Token::new(&self.state);
                }
                let (grant, granted) = oneshot::channel();
                let ticket = state.waiting.push(priority, namespace, grant, now);
                if !std::mem::replace(&mut state.dispatching, true) {
                    tokio::spawn(dispatch(Arc::clone(&self.state)));
                }
                Waiter {
                    state: &self.state,
                    ticket,
                    granted,
                }
            };
            if let Some(token) = waiter.granted().await {
                return token;
            }
        }
    }

    /// How many calls wait for a token.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }
}

impl Token {
    fn new(state: &Arc<Mutex<State>>) -> Self {
        Self {
            state: Arc::clone(state),
            spent: false,
        }
    }

    /// Spends the token: the call is made.
    pub fn consume(mut self) {
        self.spent = true;
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if !self.spent {
            lock(&self.state).bucket.refund();
        }
    }
}

impl Waiter<'_> {
    async fn granted(mut self) -> Option<Token> {
        (&mut self.granted).await.ok()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let grant = lock(self.state).waiting.remove(self.ticket);
        drop(grant);
    }
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.get();
        Self {
            full_at: Instant::now(),
            interval,
            burst_tolerance: interval * (rate.burst.get() - 1),
        }
    }

    /// Takes a token, or returns the time until one is available.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let missing = self.full_at.saturating_duration_since(now);
        let wait = missing.saturating_sub(self.burst_tolerance);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.full_at = now + missing + self.interval;
        Ok(())
    }

    fn refund(&mut self) {
        self.full_at = self
            .full_at
            .checked_sub(self.interval)
            .unwrap_or(self.full_at);
    }
}

impl State {
    fn step(&mut self) -> Step {
        if self.waiting.is_empty() {
            self.dispatching = false;
            return Step::Idle;
        }
        let now = Instant::now();
        match self.bucket.take(now) {
            Ok(()) => self.waiting.pop(now).map_or(Step::Idle, Step::Grant),
            Err(wait) => Step::Wait(wait),
        }
    }
}

/// Serves the queue until it is empty. One task serves all waiters: if each waiter woke up for each token,
/// 10,000 of them would wake up 5 times a second.
async fn dispatch(shared: Arc<Mutex<State>>) {
    loop {
        let step = lock(&shared).step();
        match step {
            // If the waiter is gone, the token is dropped here, which takes the lock.
            Step::Grant(waiter) => drop(waiter.send(Token::new(&shared))),
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Idle => return,
        }
    }
}
