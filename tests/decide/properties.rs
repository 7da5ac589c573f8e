//! Whatever users, AWS, clocks and processes do, in whatever order: the rules of `kit::rules` hold
//! for each single effect, and when nobody does anything any more, everything comes to rest.

mod action;
mod chance;

use std::time::Duration;

use action::{Action, perform};
use chance::actions;
use proptest::{collection::vec, prelude::*, test_runner::Config};

use crate::kit::{SOURCE, World, alpha, resource};

fn config() -> Config {
    let config = Config::default();
    let chosen = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if chosen { config.cases } else { 128 },
        failure_persistence: None,
        ..config
    }
}

fn begun() -> World {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world
}

/// Nobody does anything any more, and AWS answers.
fn rest(world: &mut World) {
    world.fate.crash_after = None;
    world.aws.outage = None;
    world.store.collect_garbage();
    // Longer than the longest interval that a story chooses, and a confirmation after it.
    world.advance(Duration::from_hours(5));
    world.settle_twice();
}

fn names(world: &World) -> Vec<String> {
    world.store.resources.keys().cloned().collect()
}

/// What a user sees, without versions and times.
fn essence(world: &World) -> Vec<String> {
    let of = |name: &String| {
        let status = world.status_of(name);
        let published = status.published.as_ref();
        format!(
            "{name}: {}; {:?}; {:?}; {:?}; {:?}",
            world.state_of(name),
            published.map(|it| (&it.secret_name, &it.key_id_suffix)),
            published.and_then(|it| world.pair_in(&it.secret_name)),
            status.identity,
            status.settling.map(|it| it.key_id_suffix),
        )
    };
    names(world).iter().map(of).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_rule_is_broken_and_everything_comes_to_rest(story in vec(actions(), 1..25)) {
        let mut world = begun();
        for action in &story {
            perform(&mut world, action);
        }
        rest(&mut world);
    }

    #[test]
    fn a_restart_makes_no_request_of_what_is_settled(story in vec(actions(), 1..20)) {
        let mut world = begun();
        for action in &story {
            perform(&mut world, action);
        }
        perform(&mut world, &Action::Rival(false));
        rest(&mut world);
        world.log.clear();
        world.restart();
        world.settle();
        let state = world.state();
        // Of a target that was edited and cannot be restored no version is kept.
        let settled = ["Ready=True Published", "Ready=False SourceNotFound", "Ready=False SignatureMismatch"];
        if settled.iter().any(|settled| state.starts_with(settled)) && state.contains("Published=True") {
            prop_assert!(world.log.is_empty(), "{} asks for {:?}", state, world.log);
        }
    }

    #[test]
    fn restarts_change_nothing_that_users_see(
        // What AWS says meanwhile is news to a new process only, so it says the same all along.
        aws in vec(actions().prop_filter("of AWS", Action::is_of_aws), 0..3),
        story in vec(actions(), 1..25),
    ) {
        let mut calm = begun();
        let mut restless = begun();
        for world in [&mut calm, &mut restless] {
            for action in &aws {
 perform(world, action);
}
            world.settle();
        }
        let same_for_both = |action: &&Action| !action.is_of_aws() && !action.depends_on_the_process();
        for action in story.iter().filter(same_for_both) {
            for world in [&mut calm, &mut restless] {
                perform(world, action);
                // Long enough that nobody counts as somebody who edits the target again and again.
                world.advance(Duration::from_mins(11));
            }
            restless.restart();
            restless.settle();
        }
        rest(&mut calm);
        rest(&mut restless);
        prop_assert_eq!(essence(&restless), essence(&calm));
    }

    #[test]
    fn a_good_pair_without_an_obstacle_ends_up_published(story in vec(actions(), 1..20)) {
        let mut world = begun();
        for action in &story {
            perform(&mut world, action);
        }
        for action in Action::amends() {
            perform(&mut world, &action);
        }
        rest(&mut world);
        prop_assert!(world.state().starts_with("Ready=True"), "{}", world.state());
        let target = world.status().published.map(|published| published.secret_name);
        prop_assert_eq!(world.pair_in(&target.unwrap_or_default()), Some(alpha()));
    }
}
