//! A process that ends at any point.

use std::time::Duration;

use crate::{
    sim::{SOURCE, TARGET, World, alpha, beta, resource},
    untrusted_statuses::forge,
};
use static_aws_credentials::api::{DeletionPolicy, OnRejected, ValidationLevel};

/// Actions of users. Each leads to one state, wherever the process ends meanwhile.
type Scenario = (&'static str, fn(&mut World));

const SCENARIOS: [Scenario; 9] = [
    ("create", |_| {}),
    ("rotate", |world| world.fill(SOURCE, &beta())),
    ("spoil", |world| {
        world.fill(SOURCE, &beta().with_wrong_secret());
    }),
    ("lose the source", |world| {
        world.store.delete(SOURCE, None).unwrap();
    }),
    ("lose the target", |world| {
        world.store.delete(TARGET, None).unwrap();
    }),
    ("rename", |world| {
        world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
    }),
    ("rename and rotate", |world| {
        world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
        world.fill(SOURCE, &beta());
    }),
    ("retain", |world| {
        world.respecify(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
    }),
    ("withdraw", |world| {
        world.respecify(|spec| {
            spec.validation.on_rejected = OnRejected::Withdraw;
            spec.validation.arn = Some("arn:aws:iam::*:user/other/*".to_owned());
        });
    }),
];

fn run(scenario: fn(&mut World), crash_after: Option<u32>) -> World {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.faults.crash_after = crash_after;
    world.settle();
    scenario(&mut world);
    world.advance(Duration::from_mins(3));
    world.faults.crash_after = None;
    world.settle_twice();
    world
}

/// The spec changes between the write of a target and that of its status.
#[test]
fn a_pair_whose_publication_was_never_reported_is_withdrawn_too() {
    for (on_rejected, target) in [
        (OnRejected::Withdraw, None),
        (OnRejected::Keep, Some(beta())),
    ] {
        let mut world = World::published();
        let before = world.status();
        world.fill(SOURCE, &beta());
        world.settle();
        world.respecify(|spec| {
            spec.validation.on_rejected = on_rejected;
            spec.validation.arn = Some("arn:aws:iam::*:user/other/*".to_owned());
        });
        forge(&mut world, |status| *status = before);
        world.settle_twice();
        world.advance(Duration::from_mins(3));
        assert_eq!(world.target(), target);
        let state = world.state();
        assert!(state.starts_with("Ready=False PinMismatch"), "{state}");
        let withdrawn = state.contains("Published=False Withdrawn");
        assert_eq!(withdrawn, target.is_none(), "{state}");
    }
}

#[test]
fn wherever_the_process_ends_the_scenario_ends_the_same() {
    for (name, scenario) in SCENARIOS {
        let expected = run(scenario, None);
        for crash_after in 0..14 {
            let world = run(scenario, Some(crash_after));
            let place = format!("{name}, ended after {crash_after} requests");
            assert_eq!(world.state(), expected.state(), "{place}");
            for secret in [TARGET, "renamed"] {
                assert_eq!(world.pair_in(secret), expected.pair_in(secret), "{place}");
            }
            let revision = |world: &World| world.status().published.map(|it| it.revision);
            assert_eq!(revision(&world), revision(&expected), "{place}");
            assert_eq!(
                world.status().identity,
                expected.status().identity,
                "{place}"
            );
        }
    }
}

#[test]
fn a_restart_of_a_settled_world_makes_no_request() {
    for (name, scenario) in SCENARIOS {
        let mut world = run(scenario, None);
        world.requests();
        world.restart();
        world.settle_twice();
        assert_eq!(world.requests(), "", "after {name}");
    }
}

#[test]
fn a_watch_that_lists_anew_makes_no_request() {
    for (name, scenario) in SCENARIOS {
        let mut world = run(scenario, None);
        world.requests();
        world.list_secrets();
        world.settle_twice();
        assert_eq!(world.requests(), "", "after {name}");
    }
}

#[test]
fn a_pair_that_was_published_at_format_is_not_proven_by_a_restart_at_identity() {
    let mut world = World::published_with(|spec| spec.validation.level = ValidationLevel::Format);
    world.aws.deactivate(&alpha());
    world.respecify(|spec| spec.validation.level = ValidationLevel::Identity);
    world.restart();
    world.advance(Duration::from_mins(3));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
}

#[test]
fn a_published_pair_that_is_refused_is_recognized_by_a_new_process() {
    let mut world = World::published();
    world.respecify(|spec| spec.validation.account_id = Some("999999999999".to_owned()));
    world.settle();
    world.restart();
    world.store.edit(SOURCE, |secret| {
        secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    });
    world.settle_twice();
    assert!(
        world.state().ends_with("Published=True Published, Stalled"),
        "{}",
        world.state()
    );
}

#[test]
fn a_refused_pair_is_not_believed_by_a_new_process_because_the_target_carries_it() {
    let mut world = World::published();
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(2));
    assert!(world.state().starts_with("Ready=False AccessKeyUnknown"));
    let before = world.questions();
    world.restart();
    world.store.edit(SOURCE, |secret| {
        secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    });
    world.settle();
    assert_eq!(world.questions(), before + 1);
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
}

#[test]
fn a_target_of_a_newer_spec_is_not_taken_for_a_stray_of_an_older_one() {
    let mut world = World::published();
    world.take_over();
    world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
    world.settle();
    assert_eq!(world.pair_in("renamed"), Some(alpha()));
    // The first replica has listed the new target, but has not got the new spec.
    world.swap();
    world.list_secrets();
    world.run("orders");
    assert_eq!(world.pair_in("renamed"), Some(alpha()), "{:?}", world.log);
    world.settle_twice();
    assert_eq!(world.pair_in("renamed"), Some(alpha()));
}
