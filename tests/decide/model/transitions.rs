//! The transitions that are possible next.

use std::{fmt, rc::Rc, time::Duration};

use static_aws_credentials::api::Reason;

use super::user_actions::{SECOND, USER_ACTIONS, UserAction, done};
use crate::sim::{SOURCE, World, alpha, beta, resource};

/// The number of transitions of each kind that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    people: u8,
    faults: u8,
    pauses: u8,
}

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The watch delivers the next event.
    Hear,
    /// The process reconciles the resource.
    Run,
    /// The same, and the process ends instead of making this request.
    RunAndEnd(u32),
    /// The same, and the response to this write is lost.
    RunDeaf(u32),
    /// The same, and before this request the other replica becomes the leader and settles. The first replica completes
    /// its reconcile nevertheless.
    RunDeposed(u32),
    /// The same, and before this request a person acts.
    RunAmid(u32, UserAction),
    /// Time passes until a timer is due.
    Pause,
    /// A person acts.
    Do(UserAction),
    /// A fault.
    Suffer(Fault),
}

/// Faults between reconciles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    End,
    TakeOver,
    List,
    Outage,
    OutageEnds,
    SignaturesBreak,
    SignaturesMend,
}

const FAULTS: [Fault; 7] = [
    Fault::End,
    Fault::TakeOver,
    Fault::List,
    Fault::Outage,
    Fault::OutageEnds,
    Fault::SignaturesBreak,
    Fault::SignaturesMend,
];

impl Budget {
    pub const fn new(people: u8, faults: u8, pauses: u8) -> Self {
        Self {
            people,
            faults,
            pauses,
        }
    }

    fn spend(mut self, step: Transition) -> Option<Self> {
        let purse = match step {
            Transition::Hear
            | Transition::Run
            | Transition::Suffer(Fault::OutageEnds | Fault::SignaturesMend) => {
                return Some(self);
            }
            Transition::Do(_) | Transition::RunAmid(..) => &mut self.people,
            Transition::Pause => &mut self.pauses,
            Transition::RunAndEnd(_)
            | Transition::RunDeaf(_)
            | Transition::RunDeposed(_)
            | Transition::Suffer(_) => &mut self.faults,
        };
        *purse = purse.checked_sub(1)?;
        Some(self)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            people,
            faults,
            pauses,
        } = self;
        write!(
            formatter,
            "{people} actions, {faults} faults, {pauses} pauses"
        )
    }
}

/// The resource, both sources, and nothing published yet.
pub fn initial_world() -> World {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.fill(SECOND, &beta());
    let mut orders = resource("orders");
    "5m".clone_into(&mut orders.spec.validation.interval);
    world.store.apply(orders);
    world
}

/// All transitions that are possible next.
pub fn transitions(world: &World, budget: Budget) -> Vec<(Transition, Budget)> {
    let hears = world.process.untold(&world.store).next().is_some();
    let runs = !world.process.woken.is_empty();
    let mut all = Vec::new();
    all.extend(hears.then_some(Transition::Hear));
    if runs {
        all.push(Transition::Run);
        all.extend(interruptions(world));
    }
    all.extend((!hears && !runs).then_some(Transition::Pause));
    all.extend(USER_ACTIONS.map(Transition::Do));
    all.extend(FAULTS.map(Transition::Suffer));
    let affordable = |step| Some((step, budget.spend(step)?));
    all.into_iter().filter_map(affordable).collect()
}

/// A reconcile without faults shows the requests at which it can be interrupted.
fn interruptions(world: &World) -> Vec<Transition> {
    let undisturbed = taken(world, Transition::Run);
    let log = undisturbed
        .map(|undisturbed| undisturbed.log)
        .unwrap_or_default();
    let reads = |request: &&String| request.starts_with("get ") || request.starts_with("ask ");
    let requests = u32::try_from(log.len()).unwrap_or(u32::MAX);
    let writes = requests - u32::try_from(log.iter().filter(reads).count()).unwrap_or(requests);
    let amid = |at| USER_ACTIONS.map(|action| Transition::RunAmid(at, action));
    let before =
        (0..requests).flat_map(|at| [Transition::RunAndEnd(at), Transition::RunDeposed(at)]);
    let after = (0..writes).map(Transition::RunDeaf);
    before
        .chain(after)
        .chain((0..requests).flat_map(amid))
        .collect()
}

/// The state after a transition, if the transition is possible.
pub fn taken(world: &World, step: Transition) -> Option<World> {
    let mut next = world.clone();
    next.log.clear();
    let happened = match step {
        Transition::Hear => next.deliver(),
        Transition::Run => ran(&mut next),
        Transition::RunAndEnd(at) => {
            next.faults.crash_after = Some(at);
            ran(&mut next)
        }
        Transition::RunDeaf(at) => {
            next.faults.lose_after = Some(at);
            ran(&mut next)
        }
        Transition::RunDeposed(at) => {
            next.faults.meanwhile = Some((at, Rc::new(depose)));
            let deposed = ran(&mut next);
            next.swap();
            deposed
        }
        Transition::RunAmid(at, action) => {
            let possible = done(&mut next.clone(), action);
            next.faults.meanwhile = Some((at, Rc::new(move |world| _ = done(world, action))));
            possible && ran(&mut next)
        }
        Transition::Pause => next.pause(),
        Transition::Do(action) => done(&mut next, action),
        Transition::Suffer(fault) => suffered(&mut next, fault),
    };
    happened.then_some(next)
}

/// Reconciles. Returns whether all faults that were set have occurred.
fn ran(world: &mut World) -> bool {
    world.run("orders");
    let faults = std::mem::take(&mut world.faults);
    faults.crash_after.is_none() && faults.lose_after.is_none() && faults.meanwhile.is_none()
}

fn depose(world: &mut World) {
    world.take_over();
    world.settle();
    world.swap();
}

fn suffered(world: &mut World, fault: Fault) -> bool {
    let away = world.aws.outage.is_some();
    let breaks = world.aws.breaks_signatures;
    match fault {
        Fault::End => world.restart(),
        Fault::TakeOver => world.take_over(),
        Fault::List => world.list_secrets(),
        Fault::Outage => world.aws.outage = Some(Reason::StsUnreachable),
        Fault::OutageEnds => world.aws.outage = None,
        Fault::SignaturesBreak => world.aws.breaks_signatures = true,
        Fault::SignaturesMend => world.aws.breaks_signatures = false,
    }
    match fault {
        Fault::Outage => !away,
        Fault::OutageEnds => away,
        Fault::SignaturesBreak => !breaks,
        Fault::SignaturesMend => breaks,
        _ => true,
    }
}

impl World {
    /// Advances to the next timer.
    fn pause(&mut self) -> bool {
        let due = self
            .process
            .timers
            .iter()
            .min_by_key(|(_, at)| **at)
            .map(|(name, at)| (name.clone(), *at));
        let Some((name, at)) = due else {
            return false;
        };
        self.now = self.now.max(at);
        self.process.woken.insert(name);
        true
    }

    /// Ends all faults, and lets time pass without actions of people.
    pub fn rest(&mut self) {
        self.aws.outage = None;
        self.aws.breaks_signatures = false;
        self.store.collect_garbage();
        self.advance(Duration::from_mins(12));
        self.store.collect_garbage();
        self.settle_twice();
    }
}
