//! Random actions of users, AWS, clocks and processes: `sim::rules` holds for each single effect, and without further
//! actions everything settles.

mod action;
mod chance;

use std::{
    cell::Cell,
    hash::{BuildHasher, Hasher, RandomState},
    sync::LazyLock,
    time::Duration,
};

use action::{Action, Content, Field, perform};
use chance::actions;
use k8s_openapi::api::core::v1::Secret;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};

use crate::{
    report::{thorough, tried},
    sim::{SOURCE, World, alpha, resource},
};

fn config() -> Config {
    let config = Config::default();
    let chosen = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if chosen { config.cases } else { 128 },
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(*SEED),
        ..config
    }
}

/// Printed with every failure. The environment variable `SEED` sets it.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    let given = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand_seed);
    eprintln!("SEED={seed}");
    seed
});

fn rand_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn begun() -> World {
    let mut world = World::new();
    world.lists_consumers = true;
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world
}

/// Ends all faults, and lets time pass without further actions.
fn rest(world: &mut World) {
    world.faults.crash_after = None;
    world.aws.outage = None;
    world.aws.breaks_signatures = false;
    world.store.collect_garbage();
    // Longer than the longest interval of a sequence, and a confirmation after it.
    world.advance(Duration::from_hours(5));
    world.settle_twice();
}

fn names(world: &World) -> Vec<String> {
    world.store.resources.keys().cloned().collect()
}

/// The state that a user sees, without versions and times.
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
    fn no_rule_is_broken_and_everything_comes_to_rest(sequence in vec(actions(), 1..25)) {
        let mut world = begun();
        for action in &sequence {
            perform(&mut world, action);
        }
        rest(&mut world);
    }

    #[test]
    fn a_restart_makes_no_request_of_what_is_settled(sequence in vec(actions(), 1..20)) {
        let mut world = begun();
        for action in &sequence {
            perform(&mut world, action);
        }
        perform(&mut world, &Action::Rival(false));
        rest(&mut world);
        world.log.clear();
        world.restart();
        world.settle();
        let state = world.state();
        // No version is kept of a target that was edited and cannot be restored.
        let settled = ["Ready=True Published", "Ready=False SourceNotFound", "Ready=False SignatureMismatch"];
        if settled.iter().any(|settled| state.starts_with(settled)) && state.contains("Published=True") {
            prop_assert!(world.log.is_empty(), "{} asks for {:?}", state, world.log);
        }
    }

    #[test]
    fn restarts_change_nothing_that_users_see(
        // Only a new process would see a change of AWS at once, so AWS answers the same throughout.
        aws in vec(actions().prop_filter("of AWS", Action::is_of_aws), 0..3),
        sequence in vec(actions(), 1..25),
    ) {
        let mut undisturbed = begun();
        let mut restless = begun();
        for world in [&mut undisturbed, &mut restless] {
            for action in &aws {
 perform(world, action);
}
            world.settle();
        }
        let same_for_both = |action: &&Action| !action.is_of_aws() && !action.depends_on_the_process();
        for action in sequence.iter().filter(same_for_both) {
            for world in [&mut undisturbed, &mut restless] {
                perform(world, action);
                // Longer than the 10 minutes after which the count of restores of the target starts anew.
                world.advance(Duration::from_mins(11));
            }
            restless.restart();
            restless.settle();
        }
        rest(&mut undisturbed);
        rest(&mut restless);
        prop_assert_eq!(essence(&restless), essence(&undisturbed));
    }

    #[test]
    fn a_good_pair_without_an_obstacle_ends_up_published(sequence in vec(actions(), 1..20)) {
        let mut world = begun();
        for action in &sequence {
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

/// The final state depends only on the spec, the source and AWS: it is the same as in an empty cluster.
#[test]
fn the_end_does_not_depend_on_the_way() {
    const NAME: &str = "properties::the_end_does_not_depend_on_the_way";
    let cases = if thorough() { 100_000 } else { 500 };
    let published = Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, ..config() });
    let all = runner.run(&vec(actions(), 1..25), |sequence| {
        let mut world = begun();
        // What is known of a superseded pair depends on the way.
        world.lists_consumers = false;
        for action in &sequence {
            perform(&mut world, action);
        }
        for action in obstacles_removed() {
            perform(&mut world, &action);
        }
        rest(&mut world);
        let mut straight = World::new();
        straight.aws.clone_from(&world.aws);
        straight.aws.asked.clear();
        straight.now = world.now;
        straight.fill(SOURCE, &alpha());
        let mut orders = resource("orders");
        orders.spec = world.store.resources["orders"].spec.clone();
        straight.store.apply(orders);
        rest(&mut straight);
        let ready = |world: &World| world.state().split(',').next().map(str::to_owned);
        prop_assert_eq!(ready(&world), ready(&straight));
        if straight.state().starts_with("Ready=True") {
            published.set(published.get() + 1);
            prop_assert_eq!(essence(&world), essence(&straight));
            prop_assert_eq!(secrets(&world), secrets(&straight));
        }
        Ok(())
    });
    let what = format!("sequences of actions, SEED={}", *SEED);
    tried(
        NAME,
        cases as usize,
        if all.is_ok() { cases as usize } else { 0 },
        &what,
    );
    all.unwrap_or_else(|failure| panic!("SEED={}: {failure}", *SEED));
    assert!(
        published.get() * 4 > cases,
        "few end published: {published:?}"
    );
}

/// Actions that remove what keeps a good pair from being published, except the rest of the spec.
fn obstacles_removed() -> Vec<Action> {
    let mut actions = vec![
        Action::Rival(false),
        Action::CollectGarbage,
        Action::Vacate(crate::sim::TARGET),
        Action::Vacate("renamed"),
        Action::Outage(None),
        Action::DisableRegion(false),
        Action::BreakSignatures(false),
        Action::Fill(Content::Pair(0)),
        Action::Respecify(Field::Suspend(false)),
    ];
    actions.extend((0..4).map(Action::Activate));
    actions
}

/// Secrets with labels, without versions and UIDs.
fn secrets(world: &World) -> Vec<String> {
    let of = |(name, secret): (&String, &Secret)| {
        let metadata = &secret.metadata;
        let labels = metadata
            .labels
            .as_ref()
            .map(|labels| labels.keys().collect::<Vec<_>>());
        let owned = metadata.owner_references.is_some();
        format!(
            "{name} {:?} {:?} {labels:?} {:?} {owned}",
            secret.data, secret.type_, metadata.annotations
        )
    };
    let ours = world
        .store
        .secrets
        .iter()
        .filter(|(_, secret)| secret.metadata.labels.is_some());
    ours.map(of).collect()
}
