//! A small world explored completely: one resource, two sources, a target, a foreign Secret and two replicas. People
//! act, the process ends or is deposed between any two requests, responses are lost, AWS has an outage. `sim::rules`
//! holds for each effect, and from every state without further faults the goal is reached and stays.
//!
//! It runs the real `decide`. Versions of `decide` that are broken on purpose show that it can fail.

mod broken;
mod converged;
mod search;
mod state;
mod transitions;
mod user_actions;

use search::explore;
use static_aws_credentials::domain::decide::decide;
use transitions::Budget;

use crate::report::{thorough, tried};

fn explored(test: &str, quick: Budget, long: &[Budget]) {
    let long = if thorough() { long } else { &[] };
    for budget in long.iter().chain([&quick]) {
        let found = explore(*budget, decide);
        assert!(found.states > 1000, "{found:?}");
        let what = format!("states, {} transitions, with {budget}", found.transitions);
        tried(&format!("model::{test}"), found.states, found.states, &what);
    }
}

#[test]
fn whatever_people_do_every_state_is_safe_and_leads_to_the_match() {
    explored(
        "whatever_people_do_every_state_is_safe_and_leads_to_the_match",
        Budget::new(2, 0, 0),
        &[Budget::new(3, 0, 0), Budget::new(2, 0, 1)],
    );
}

#[test]
fn whatever_fails_every_state_is_safe_and_leads_to_the_match() {
    explored(
        "whatever_fails_every_state_is_safe_and_leads_to_the_match",
        Budget::new(1, 1, 0),
        &[
            Budget::new(1, 1, 1),
            Budget::new(2, 1, 0),
            Budget::new(1, 3, 0),
        ],
    );
}

#[test]
fn a_stray_that_loses_its_mark_leaves_nothing_to_be_found_later() {
    use transitions::Transition::{Do, Hear, Run, RunAmid};
    use user_actions::UserAction::{DeleteSource, Rename, StripTarget};
    let path = [
        Do(Rename),
        Hear,
        Hear,
        Hear,
        RunAmid(3, DeleteSource),
        Hear,
        Run,
        Do(StripTarget),
    ];
    let mut world = transitions::initial_world();
    for step in path {
        world = transitions::taken(&world, step).unwrap();
    }
    world.rest();
}

/// A deposed leader created the target for an older spec. The next leader lists the target before it gets the resource.
#[test]
fn a_target_that_is_heard_of_before_its_resource_is_no_garbage() {
    use transitions::{
        Fault::{List, TakeOver},
        Transition::{Do, Run, Suffer},
    };
    use user_actions::UserAction::Rename;
    let path = [
        Suffer(TakeOver),
        Do(Rename),
        Run,
        Suffer(TakeOver),
        Suffer(List),
    ];
    let mut world = transitions::initial_world();
    for step in path {
        world = transitions::taken(&world, step).unwrap();
    }
    world.rest();
    converged::is_reached(&world);
}

/// The deposed leader had not got the new source in the spec, and the status of its write was rejected.
#[test]
fn what_a_deposed_leader_wrote_is_not_taken_for_what_was_published() {
    use transitions::{
        Fault::{Outage, OutageEnds, TakeOver},
        Transition::{Do, Hear, Run, Suffer},
    };
    use user_actions::UserAction::SwitchSource;
    let path = [
        Suffer(TakeOver),
        Do(SwitchSource),
        Run,
        Hear,
        Run,
        Suffer(TakeOver),
        Hear,
        Hear,
        Hear,
        Run,
        Suffer(Outage),
        Hear,
        Run,
        Hear,
        Run,
        Hear,
        Run,
        Hear,
        Run,
    ];
    let mut world = transitions::initial_world();
    for step in path {
        world = transitions::taken(&world, step).unwrap();
    }
    assert!(
        world.state().contains("Published=False"),
        "{}",
        world.state()
    );
    world = transitions::taken(&world, Suffer(OutageEnds)).unwrap();
    world.rest();
    converged::is_reached(&world);
    assert_eq!(world.target(), Some(crate::sim::beta()));
}
