//! Depth-first search that visits each state once.

use std::{collections::HashSet, rc::Rc};

use static_aws_credentials::domain::decide::{Inputs as Known, Step};

use super::{
    converged, state,
    transitions::{Budget, Transition, initial_world, taken, transitions},
};
use crate::sim::World;

/// The size of a search.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    pub states: usize,
    pub transitions: usize,
}

/// A function in the place of `decide`.
pub type Decide = fn(&Known<'_>) -> Step;

/// Visits all states that can be reached. Panics at the first wrong state, and prints the transitions to it.
pub fn explore(budget: Budget, decide: Decide) -> Found {
    let mut world = initial_world();
    world.decide = decide;
    let mut search = Search::default();
    search.arrive(None, world, budget);
    while let Some(open) = search.open.pop() {
        search.path.0.truncate(open.depth);
        search.path.0.push(open.step);
        if let Some(next) = taken(&open.from, open.step) {
            search.found.transitions += 1;
            search.arrive(Some(&open.from), next, open.budget);
        }
    }
    search.found
}

#[derive(Default)]
struct Search {
    seen: HashSet<u128>,
    open: Vec<Open>,
    found: Found,
    path: Path,
}

/// A transition that is still to be taken.
struct Open {
    depth: usize,
    from: Rc<World>,
    step: Transition,
    budget: Budget,
}

/// The transitions so far; printed when a rule is broken.
#[derive(Default)]
struct Path(Vec<Transition>);

impl Drop for Path {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("after {:?}", self.0);
        }
    }
}

impl Search {
    fn arrive(&mut self, from: Option<&World>, world: World, budget: Budget) {
        if !self.seen.insert(state::key(&world, budget)) {
            return;
        }
        self.found.states += 1;
        if let (Some(from), Some(step)) = (from, self.path.0.last()) {
            converged::nothing_was_lost(from, *step, &world);
        }
        let mut rested = world.clone();
        rested.rest();
        converged::is_reached(&rested);
        let reached = (rested.state(), rested.store.secrets.clone());
        rested.rest();
        assert_eq!(
            (rested.state(), rested.store.secrets),
            reached,
            "it does not stay"
        );
        let depth = self.path.0.len();
        let world = Rc::new(world);
        for (step, budget) in transitions(&world, budget) {
            self.open.push(Open {
                depth,
                from: Rc::clone(&world),
                step,
                budget,
            });
        }
    }
}
