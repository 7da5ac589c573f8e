//! Statuses that cannot be trusted: forged, of another cluster, or of an older version.

use std::time::Duration;

use crate::sim::{SOURCE, TARGET, World, alpha, beta, resource};
use static_aws_credentials::api::{Identity, OnRejected, StaticAwsCredentialsStatus};

/// Another writer changes the status, and the process is new.
pub fn forge(world: &mut World, change: impl FnOnce(&mut StaticAwsCredentialsStatus)) {
    let mut status = world.status();
    change(&mut status);
    let version = world.store.resources["orders"]
        .metadata
        .resource_version
        .clone();
    world
        .store
        .write_status("orders", &version.unwrap(), &status)
        .unwrap();
    world.restart();
}

#[test]
fn a_status_from_another_cluster_is_not_trusted() {
    let original = World::published();
    let mut world = World::new();
    world.fill("unrelated", &beta());
    world.fill(SOURCE, &beta());
    world.aws.deactivate(&beta());
    world.store.apply(resource("orders"));
    forge(&mut world, |status| *status = original.status());
    world.advance(Duration::from_mins(3));
    assert_eq!(world.target(), None);
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
}

#[test]
fn a_restored_backup_without_its_target_is_proven_anew() {
    let original = World::published();
    let mut world = World::new();
    world.fill("unrelated", &beta());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    forge(&mut world, |status| *status = original.status());
    world.settle_twice();
    assert_eq!((world.target(), world.questions()), (Some(alpha()), 1));
    assert!(world.state().starts_with("Ready=True"));
}

#[test]
fn a_forged_status_publishes_no_unproven_pair() {
    let bad = beta().with_wrong_secret();
    let mut world = World::published();
    world.fill(SOURCE, &bad);
    world.settle();
    let honest = World::published().status();
    let source = world.store.secret(SOURCE).unwrap().metadata.clone();
    forge(&mut world, |status| {
        let generation = status.observed_generation;
        let published = status.published.take();
        *status = honest;
        status.published = published;
        status.observed_generation = generation;
        let version = status.source.as_mut().unwrap();
        version.uid = source.uid.unwrap();
        version.resource_version = source.resource_version.unwrap();
        status.identity = Some(Identity {
            account_id: "123456789012".to_owned(),
            arn: beta().arn,
        });
    });
    world.settle();
    world.store.delete(TARGET, None).unwrap();
    world.advance(Duration::from_hours(3));
    assert_eq!(world.target(), None, "{:?}", world.log);
}

#[test]
fn a_status_that_an_older_version_wrote_gets_its_digest_with_the_next_proof() {
    let mut world = World::published();
    let digest = |world: &World| world.status().published.unwrap().key_digest;
    let known = digest(&world);
    assert!(known.is_some());
    forge(&mut world, |status| {
        status.published.as_mut().unwrap().key_digest = None;
    });
    world.restart();
    world.settle_twice();
    assert_eq!(digest(&world), None, "nothing is read for it");
    world.advance(Duration::from_hours(3));
    assert_eq!(digest(&world), known);
}

#[test]
fn a_forged_status_makes_the_operator_neither_write_nor_delete_a_foreign_secret() {
    let mut world = World::published();
    world.fill("foreign", &beta());
    let foreign = world.store.secret("foreign").unwrap().clone();
    forge(&mut world, |status| {
        let published = status.published.as_mut().unwrap();
        published.secret_name = "foreign".to_owned();
        published.uid = foreign.metadata.uid.clone().unwrap();
        published.resource_version = foreign.metadata.resource_version.clone().unwrap();
    });
    world.settle_twice();
    assert_eq!(world.store.secret("foreign"), Some(&foreign));
    world.respecify(|spec| {
        spec.validation.on_rejected = OnRejected::Withdraw;
        spec.validation.account_id = Some("999999999999".to_owned());
    });
    world.settle_twice();
    assert_eq!(world.store.secret("foreign"), Some(&foreign));
}
