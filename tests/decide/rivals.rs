//! Two resources that want the same target.

use crate::sim::{SOURCE, TARGET, World, alpha, beta, resource};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

#[test]
fn of_two_resources_with_one_target_the_older_one_gets_it() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.fill("second-key-pair", &beta());
    let mut second = resource("second");
    second.spec.target.name = Some(TARGET.to_owned());
    world.store.apply(resource("orders"));
    world.store.apply(second);
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert!(
        world
            .state_of("second")
            .starts_with("Ready=False TargetConflict")
    );
    assert!(world.state_of("second").ends_with("Stalled"));
    world.fill("second-key-pair", &beta());
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(world.target(), Some(alpha()), "the present owner keeps it");
}

#[test]
fn the_loser_takes_over_when_the_winner_goes() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.fill("second-key-pair", &beta());
    let mut second = resource("second");
    second.spec.target.name = Some(TARGET.to_owned());
    world.store.apply(resource("orders"));
    world.store.apply(second);
    world.settle();
    world.store.delete_resource("orders");
    world.settle();
    world.store.collect_garbage();
    world.settle_twice();
    assert_eq!(world.target(), Some(beta()));
    assert!(world.state_of("second").starts_with("Ready=True"));
}

#[test]
fn the_loser_takes_over_when_a_winner_goes_that_never_wrote_anything() {
    for renamed in [false, true] {
        let mut world = World::new();
        world.fill("second-key-pair", &beta());
        let mut second = resource("second");
        second.spec.target.name = Some(TARGET.to_owned());
        world.store.apply(resource("orders"));
        world.store.apply(second);
        world.settle_twice();
        assert!(
            world
                .state_of("second")
                .starts_with("Ready=False TargetConflict")
        );
        if renamed {
            world.respecify(|spec| spec.target.name = Some("elsewhere".to_owned()));
        } else {
            world.store.delete_resource("orders");
        }
        world.settle_twice();
        assert_eq!(world.target(), Some(beta()));
        assert!(world.state_of("second").starts_with("Ready=True"));
    }
}

#[test]
fn on_an_absent_target_the_older_resource_wins_even_if_the_younger_one_runs_first() {
    let mut world = World::new();
    let mut older = resource("zulu");
    older.spec.target.name = Some(TARGET.to_owned());
    world.fill("zulu-key-pair", &beta());
    world.fill(SOURCE, &alpha());
    world.store.apply(older);
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.target(), Some(beta()));
    assert!(world.state_of("zulu").starts_with("Ready=True"));
    assert!(world.state().starts_with("Ready=False TargetConflict"));
}
