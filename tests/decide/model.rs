//! A small world explored to the end: one resource, two sources, a target, a stranger's Secret and two
//! replicas; people do something, the process dies or is deposed between any two requests, answers
//! are lost, AWS is away. In every state the rules of `kit::rules` held for each effect that led to
//! it, and from every state, if faults cease, the match is reached and stays.
//!
//! It runs the real `decide`. That it can fail is shown by breaking `decide` on purpose.

mod broken;
mod deeds;
mod goal;
mod moves;
mod search;
mod state;

use moves::Budget;
use search::explore;
use static_aws_credentials::domain::decide::decide;

use crate::report::{thorough, tried};

fn explored(test: &str, quick: Budget, long: &[Budget]) {
    let long = if thorough() { long } else { &[] };
    for budget in long.iter().chain([&quick]) {
        let found = explore(*budget, decide);
        assert!(found.states > 1000, "{found:?}");
        let what = format!("states, {} moves, with {budget}", found.moves);
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
    use deeds::Deed::{DeleteSource, Rename, StripTarget};
    use moves::Move::{Do, Hear, Run, RunAmid};
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
    let mut world = moves::beginning();
    for step in path {
        world = moves::taken(&world, step).unwrap();
    }
    world.rest();
}

/// A leader that was deposed had created it for a spec that was changed at once; the next one heard of it
/// before it heard of the resource.
#[test]
fn a_target_that_is_heard_of_before_its_resource_is_no_garbage() {
    use deeds::Deed::Rename;
    use moves::{
        Fault::{List, TakeOver},
        Move::{Do, Run, Suffer},
    };
    let path = [
        Suffer(TakeOver),
        Do(Rename),
        Run,
        Suffer(TakeOver),
        Suffer(List),
    ];
    let mut world = moves::beginning();
    for step in path {
        world = moves::taken(&world, step).unwrap();
    }
    world.rest();
    goal::is_reached(&world);
}

/// It had not heard that the spec names another source, and the status of what it wrote was refused.
#[test]
fn what_a_deposed_leader_wrote_is_not_taken_for_what_was_published() {
    use deeds::Deed::SwitchSource;
    use moves::{
        Fault::{Outage, OutageEnds, TakeOver},
        Move::{Do, Hear, Run, Suffer},
    };
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
    let mut world = moves::beginning();
    for step in path {
        world = moves::taken(&world, step).unwrap();
    }
    assert!(
        world.state().contains("Published=False"),
        "{}",
        world.state()
    );
    world = moves::taken(&world, Suffer(OutageEnds)).unwrap();
    world.rest();
    goal::is_reached(&world);
    assert_eq!(world.target(), Some(crate::kit::beta()));
}
