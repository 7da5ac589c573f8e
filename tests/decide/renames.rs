//! What happens when the spec names another target.

use crate::sim::{SOURCE, TARGET, World, alpha, beta};
use static_aws_credentials::api::DeletionPolicy;

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

#[test]
fn a_renamed_target_is_written_before_the_old_one_goes() {
    let mut world = World::published();
    world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
    world.settle_twice();
    assert_eq!(
        world.requests(),
        "get orders-key-pair, get renamed, confirm orders, create renamed, delete orders-credentials, status orders"
    );
    assert_eq!(world.pair_in("renamed"), Some(alpha()));
    assert!(world.store.secret(TARGET).is_none());
    assert_eq!(world.status().binding.unwrap().name, "renamed");
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
}

#[test]
fn a_new_name_that_is_taken_leaves_the_old_target_and_gives_it_no_new_pair() {
    let mut world = World::published();
    world.fill("taken", &beta());
    world.respecify(|spec| spec.target.name = Some("taken".to_owned()));
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False TargetConflict"),
        "{}",
        world.state()
    );
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.status().published.unwrap().secret_name, TARGET);
    assert_eq!(world.status().binding.unwrap().name, TARGET);
    world.fill(SOURCE, &beta());
    world.settle_twice();
    assert_eq!(world.target(), Some(alpha()));
    world.store.delete("taken", None).unwrap();
    world.settle_twice();
    assert_eq!(world.pair_in("taken"), Some(beta()));
    assert!(world.store.secret(TARGET).is_none());
}

#[test]
fn a_renamed_target_under_retain_leaves_the_old_one_to_whoever_wants_it() {
    let mut world =
        World::published_with(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
    world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
    world.settle_twice();
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.pair_in("renamed"), Some(alpha()));
    let annotations = world
        .store
        .secret(TARGET)
        .unwrap()
        .metadata
        .annotations
        .clone();
    assert_eq!(
        annotations.unwrap()["awscredentials.dev/adopt-by"],
        "orders"
    );
}

#[test]
fn every_name_under_which_a_pair_was_published_is_kept_until_the_next_pair() {
    let mut world = World::published();
    let former = |world: &World| world.status().published.unwrap().former_secret_names;
    assert!(former(&world).is_empty());
    for (name, all) in [
        ("second", &[TARGET] as &[&str]),
        ("third", &["second", TARGET]),
        (TARGET, &["third", "second"]),
    ] {
        world.respecify(|spec| spec.target.name = Some(name.to_owned()));
        world.settle_twice();
        assert_eq!(former(&world), all, "{name}");
    }
    for at in 0..9 {
        world.respecify(|spec| spec.target.name = Some(format!("name-{at}")));
        world.settle_twice();
    }
    assert_eq!(former(&world).len(), 7);
    assert_eq!(former(&world)[0], "name-7");
    world.fill(SOURCE, &beta());
    world.settle_twice();
    assert_eq!(world.status().published.unwrap().revision, 2);
    assert!(former(&world).is_empty());
}

#[test]
fn a_rename_while_the_source_is_bad_keeps_the_old_target() {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    world.respecify(|spec| spec.target.name = Some("renamed".to_owned()));
    world.settle_twice();
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.status().published.unwrap().secret_name, TARGET);
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(world.pair_in("renamed"), Some(alpha()));
    assert!(world.store.secret(TARGET).is_none());
    assert_eq!(world.questions(), 1, "the old target vouched for the pair");
}
