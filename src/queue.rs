//! Which resource is run next, and when: namespaces in turn, never two runs of one resource at a time,
//! and whatever happens during a run is one further run.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    fair::{Company, FairQueue},
    index::ResourceKey,
};

/// The work of one scope.
#[derive(Debug, Default)]
pub struct Queue {
    ready: FairQueue<ResourceKey>,
    running: HashMap<Arc<str>, usize>,
    work: HashMap<ResourceKey, Work>,
    timers: BTreeSet<(Instant, ResourceKey)>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is to be done before something changes.
    Rest,
    /// All is well; another look is due after this time.
    LookAgain(Duration),
    /// It failed and is tried again after this time.
    Failed(Duration),
}

#[derive(Debug)]
struct Work {
    state: State,
    timer: Option<Instant>,
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Resting,
    Waiting { since: Instant },
    Running { woken: bool },
}

/// A resource whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn {
    /// The resource.
    pub key: ResourceKey,
    /// How long it has waited.
    pub waited: Duration,
    /// Whether others of its namespace wait or run.
    pub company: Company,
}

impl Queue {
    /// Something concerns this resource. Says whether it began to wait for its turn.
    pub fn wake(&mut self, key: &ResourceKey, now: Instant) -> bool {
        let Some(work) = self.work.get_mut(key) else {
            let waiting = Work {
                state: State::Waiting { since: now },
                timer: None,
                failed: false,
            };
            self.work.insert(key.clone(), waiting);
            self.line_up(key);
            return true;
        };
        match &mut work.state {
            State::Running { woken } => *woken = true,
            State::Waiting { .. } => {}
            State::Resting => {
                work.state = State::Waiting { since: now };
                self.line_up(key);
                return true;
            }
        }
        false
    }

    /// What failed may succeed now. Says how many began to wait for their turns.
    pub fn wake_failed(&mut self, now: Instant) -> usize {
        let failed = self.work.iter().filter(|(_, work)| work.failed);
        let failed: Vec<ResourceKey> = failed.map(|(key, _)| key.clone()).collect();
        failed.iter().filter(|key| self.wake(key, now)).count()
    }

    /// Whose turn it is, of those alone that are few in their namespaces if nobody of a crowd may run. It runs until [`Self::ended`] is told.
    pub fn next(&mut self, now: Instant, crowds: bool) -> Option<Turn> {
        let (ready, running) = (&mut self.ready, &mut self.running);
        let key = ready.pop_of(who_may_run(running, crowds))?;
        let work = self.work.get_mut(&key)?;
        let waited = match work.state {
            State::Waiting { since } => now.saturating_duration_since(since),
            State::Resting | State::Running { .. } => Duration::ZERO,
        };
        work.state = State::Running { woken: false };
        *running.entry(Arc::clone(&key.namespace)).or_default() += 1;
        if let Some(at) = work.timer.take() {
            self.timers.remove(&(at, key.clone()));
        }
        let company = self.company(&key.namespace);
        Some(Turn {
            key,
            waited,
            company,
        })
    }

    /// A run is over. Says whether the resource waits for another turn already.
    pub fn ended(&mut self, key: &ResourceKey, ended: Ended, now: Instant) -> bool {
        if let Some(running) = self.running.get_mut(&key.namespace) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(&key.namespace);
            }
        }
        let Some(work) = self.work.get_mut(key) else {
            return false;
        };
        work.failed = matches!(ended, Ended::Failed(_));
        if work.state == (State::Running { woken: true }) {
            work.state = State::Waiting { since: now };
            self.line_up(key);
            return true;
        }
        work.state = State::Resting;
        match ended {
            Ended::Rest => drop(self.work.remove(key)),
            Ended::LookAgain(pause) | Ended::Failed(pause) => {
                let at = now + pause;
                work.timer = Some(at);
                self.timers.insert((at, key.clone()));
            }
        }
        false
    }

    /// When the next timer rings.
    #[must_use]
    pub fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// With whom one comes that runs.
    #[must_use]
    pub fn company(&self, namespace: &str) -> Company {
        company(&self.running, namespace, self.ready.waiting(namespace))
    }

    /// Whether somebody's turn could come, as [`Self::next`] has it.
    #[must_use]
    pub fn has_next(&self, crowds: bool) -> bool {
        self.ready.has(who_may_run(&self.running, crowds))
    }

    /// How many wait for their turn.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.ready.len()
    }

    /// A resource that waits or runs is looked at all the same, and found gone.
    pub fn forget(&mut self, key: &ResourceKey) {
        let resting = |work: &&mut Work| work.state == State::Resting;
        let Some(work) = self.work.get_mut(key).filter(resting) else {
            return;
        };
        if let Some(at) = work.timer {
            self.timers.remove(&(at, key.clone()));
        }
        self.work.remove(key);
    }

    fn line_up(&mut self, key: &ResourceKey) {
        self.ready.push(&key.namespace, key.clone());
    }

    /// Lets those wait for their turn whose timers have rung, and says how many.
    pub fn ring(&mut self, now: Instant) -> usize {
        let mut rung = 0;
        while let Some((at, _)) = self.timers.first()
            && *at <= now
            && let Some((_, key)) = self.timers.pop_first()
        {
            if let Some(work) = self.work.get_mut(&key) {
                work.timer = None;
            }
            rung += usize::from(self.wake(&key, now));
        }
        rung
    }
}

/// Those of a namespace in which so many wait.
fn who_may_run(running: &HashMap<Arc<str>, usize>, crowds: bool) -> impl Fn(&str, usize) -> bool {
    move |namespace, waiting| crowds || company(running, namespace, waiting) == Company::Few
}

/// With whom those are that run and wait in a namespace, each of them.
fn company(running: &HashMap<Arc<str>, usize>, namespace: &str, waiting: usize) -> Company {
    let running = running.get(namespace).copied().unwrap_or_default();
    Company::of(running + waiting)
}
