//! Former targets, and the Secrets that `Retain` keeps.

use std::time::Duration;

use crate::sim::{SOURCE, TARGET, World, alpha, beta, resource};
use static_aws_credentials::api::{ConditionType, DeletionPolicy, Layout, OnRejected};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

fn owners(world: &World, name: &str) -> usize {
    let secret = world.store.secret(name).unwrap();
    let owners = secret.metadata.owner_references.as_ref();
    owners.map_or(0, Vec::len)
}

/// Deletes the resource and the Secrets that it owns.
fn end(world: &mut World) {
    world.store.delete_resource("orders");
    world.settle();
    world.store.collect_garbage();
    world.settle();
}

/// Only the data of an immutable Secret cannot be changed.
#[test]
fn retain_releases_an_immutable_target_of_a_suspended_resource() {
    let mut world = World::published();
    world
        .store
        .edit(TARGET, |secret| secret.immutable = Some(true));
    world.respecify(|spec| spec.suspend = true);
    world.settle_twice();
    world.respecify(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
    world.requests();
    world.settle_twice();
    assert_eq!(
        world.requests(),
        "confirm orders, release orders-credentials, status orders"
    );
    assert_eq!((owners(&world, TARGET), world.target()), (0, Some(alpha())));
}

#[test]
fn a_rename_and_retain_in_one_edit_keep_the_old_target_and_release_it() {
    let mut world = World::published();
    world.respecify(|spec| {
        spec.target.name = Some("renamed".to_owned());
        spec.target.deletion_policy = DeletionPolicy::Retain;
    });
    world.requests();
    world.settle_twice();
    assert_eq!(
        world.requests(),
        "get orders-key-pair, get renamed, confirm orders, create renamed, release orders-credentials, status orders"
    );
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!((owners(&world, TARGET), owners(&world, "renamed")), (0, 0));
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
    end(&mut world);
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.pair_in("renamed"), Some(alpha()));
}

#[test]
fn a_rename_away_from_retain_keeps_what_was_published_under_it() {
    let mut world =
        World::published_with(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
    world.respecify(|spec| {
        spec.target.name = Some("renamed".to_owned());
        spec.target.deletion_policy = DeletionPolicy::Delete;
    });
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!((owners(&world, TARGET), owners(&world, "renamed")), (0, 1));
}

#[test]
fn retain_holds_while_the_source_holds_nothing_proven() {
    for mut world in World::published_without_a_proven_source() {
        world.respecify(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
        world.settle_twice();
        assert_eq!(owners(&world, TARGET), 0);
        let state = world.state();
        assert!(
            state.contains("Published=True ServingLastKnownGood"),
            "{state}"
        );
        world.restart();
        world.requests();
        world.settle_twice();
        assert_eq!(world.requests(), "");
        end(&mut world);
        assert_eq!(world.target(), Some(alpha()));
    }
}

#[test]
fn retain_holds_for_a_target_that_cannot_move_to_a_name_that_is_taken() {
    let mut world = World::published();
    world.fill("taken", &beta());
    world.respecify(|spec| {
        spec.target.name = Some("taken".to_owned());
        spec.target.deletion_policy = DeletionPolicy::Retain;
    });
    world.settle_twice();
    assert!(world.state().starts_with("Ready=False TargetConflict"));
    assert_eq!(owners(&world, TARGET), 0);
    world.store.delete("taken", None).unwrap();
    world.settle_twice();
    assert_eq!(
        (world.pair_in("taken"), world.target()),
        (Some(alpha()), Some(alpha()))
    );
}

#[test]
fn retain_holds_for_a_resource_that_is_suspended_in_the_same_edit() {
    let mut world = World::published();
    world.respecify(|spec| {
        spec.suspend = true;
        spec.target.deletion_policy = DeletionPolicy::Retain;
    });
    world.requests();
    world.settle_twice();
    assert_eq!(
        world.requests(),
        "confirm orders, release orders-credentials, status orders"
    );
    world.respecify(|spec| spec.suspend = false);
    world.settle_twice();
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
    world.respecify(|spec| spec.suspend = true);
    world.settle_twice();
    end(&mut world);
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn retain_and_other_layouts_in_one_edit_are_one_write() {
    let mut world = World::published();
    world.respecify(|spec| {
        spec.target.layouts = vec![Layout::Mendix];
        spec.target.deletion_policy = DeletionPolicy::Retain;
    });
    world.requests();
    world.settle_twice();
    let requests = world.requests();
    assert_eq!(requests.matches("replace").count(), 1, "{requests}");
    assert!(!requests.contains("release"), "{requests}");
    assert_eq!(owners(&world, TARGET), 0);
}

#[test]
fn retain_and_withdraw_in_one_edit_withdraw_a_pair_that_the_pins_refuse() {
    let mut world = World::published();
    world.respecify(|spec| {
        spec.validation.on_rejected = OnRejected::Withdraw;
        spec.validation.arn = Some("arn:aws:iam::*:user/other/*".to_owned());
        spec.target.deletion_policy = DeletionPolicy::Retain;
    });
    world.settle_twice();
    assert_eq!(world.target(), None);
    assert!(
        world.state().contains("Published=False Withdrawn"),
        "{}",
        world.state()
    );
}

fn leave_strays(world: &mut World, names: impl Iterator<Item = String>) {
    let target = world.store.secret(TARGET).unwrap().clone();
    for name in names {
        world.store.edit(&name, |secret| {
            secret.data.clone_from(&target.data);
            secret.metadata.labels.clone_from(&target.metadata.labels);
            let owners = &target.metadata.owner_references;
            secret.metadata.owner_references.clone_from(owners);
        });
    }
}

#[test]
fn a_leftover_whose_deletion_is_refused_is_told_and_tried_again() {
    let mut world = World::published();
    world.store.protected.insert(TARGET.to_owned());
    world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
    world.settle_twice();
    assert_eq!(world.state(), READY);
    let message = world.message(ConditionType::Published);
    assert!(
        message.contains(TARGET) && message.contains("403 Forbidden"),
        "{message}"
    );
    world.requests();
    world.advance(Duration::from_mins(10));
    let again = world.requests();
    let tries = again.matches("delete orders-credentials").count();
    assert!((2..20).contains(&tries), "{again}");
    assert!(!again.contains("status"), "{again}");
    assert_eq!(world.message(ConditionType::Published), message);
    // Other events cause no further tries.
    world.fill(SOURCE, &beta());
    world.settle_twice();
    assert!(!world.requests().contains("delete"));
    assert!(world.message(ConditionType::Published).contains(TARGET));

    world.store.protected.clear();
    world.advance(Duration::from_mins(6));
    assert!(world.store.secret(TARGET).is_none());
    let message = world.message(ConditionType::Published);
    assert!(!message.contains("left over"), "{message}");
    world.advance(Duration::from_mins(2));
    assert!(!world.requests().ends_with("delete orders-credentials"));
}

#[test]
fn leftovers_that_cannot_be_deleted_keep_none_of_the_others() {
    let mut world = World::published();
    let name = |number: u32| format!("stray-{number:02}");
    for number in 0..40 {
        world.store.protected.insert(name(number));
    }
    leave_strays(&mut world, (0..50).map(name));
    world.advance(Duration::from_mins(1));
    for number in 0..50 {
        let stands = world.store.secret(&name(number)).is_some();
        assert_eq!(stands, number < 40, "{}", name(number));
    }
    assert_eq!(world.state(), READY);
    world.store.protected.clear();
    world.advance(Duration::from_mins(30));
    assert_eq!(world.store.secrets.len(), 2);
    world.requests();
    world.advance(Duration::from_mins(20));
    assert_eq!(world.requests(), "");
    let message = world.message(ConditionType::Published);
    assert!(!message.contains("left over"), "{message}");
}

#[test]
fn under_retain_leftovers_are_released() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.settle();
    world.restart();
    leave_strays(&mut world, ["stray".to_owned()].into_iter());
    world.respecify(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
    world.settle_twice();
    assert_eq!(owners(&world, "stray"), 0);
    assert_eq!(world.state(), READY);
}
