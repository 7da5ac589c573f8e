//! Pairs of a store that a class describes.

use std::{sync::Arc, time::Duration};

use static_aws_credentials::{
    api::{ClassRef, OnRejected, Reason, StaticAwsCredentials},
    domain::{class, place::Store, verdict::Finding},
};

use crate::sim::{SOURCE, World, alpha, resource};

mod classes;

const READY: &str = "Ready=True Published, Verified=True StoreVerified, Published=True Published";

fn store(generation: i64) -> Arc<Store> {
    Arc::new(Store {
        class: "minio".to_owned(),
        uid: "class".to_owned(),
        generation,
        url: "https://minio.example.com".to_owned(),
        region: "us-east-1".to_owned(),
        ca_bundle: None,
        any_key_id: true,
        settling: Duration::from_mins(2),
    })
}

fn of_class(name: &str) -> StaticAwsCredentials {
    let mut resource = resource(name);
    resource.spec.region = None;
    resource.spec.class_ref = Some(ClassRef {
        name: "minio".to_owned(),
    });
    resource
}

/// The class changes, which wakes its resources.
fn set(world: &mut World, class: Result<Arc<Store>, Finding>) {
    world.classes.insert("minio".to_owned(), class);
    world.process.woken.insert("orders".to_owned());
    world.settle();
}

fn with_pair(class: Result<Arc<Store>, Finding>) -> World {
    let mut world = World::new();
    world.classes.insert("minio".to_owned(), class);
    world.fill(SOURCE, &alpha());
    world.store.apply(of_class("orders"));
    world.settle_twice();
    world
}

fn published() -> World {
    let world = with_pair(Ok(store(1)));
    assert_eq!(
        (world.state().as_str(), world.target()),
        (READY, Some(alpha()))
    );
    world
}

fn not_found() -> Result<Arc<Store>, Finding> {
    Err(class::not_found("minio"))
}

#[test]
fn a_pair_that_the_store_accepts_is_published_without_an_identity() {
    let world = published();
    let status = world.status();
    assert_eq!((status.identity, world.questions()), (None, 1));
    assert!(status.last_verified_time.is_some());
    assert_eq!(status.class.map(|class| class.generation), Some(1));
}

#[test]
fn a_restart_over_a_settled_resource_of_a_class_costs_nothing() {
    let mut world = published();
    world.log.clear();
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
}

#[test]
fn a_new_pair_settles_as_long_as_the_class_says() {
    let mut world = World::new();
    world.classes.insert("minio".to_owned(), Ok(store(1)));
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(of_class("orders"));
    world.advance(Duration::from_secs(110));
    assert!(
        world.state().starts_with("Ready=False Settling"),
        "{}",
        world.state()
    );
    world.advance(Duration::from_secs(15));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
    world.aws.activate(&alpha());
    world.advance(Duration::from_mins(66));
    assert_eq!(world.state(), READY);
}

#[test]
fn a_wrong_secret_settles_too_since_a_store_may_change_the_secret_of_an_id() {
    let mut world = World::new();
    world.classes.insert("minio".to_owned(), Ok(store(1)));
    world.fill(SOURCE, &alpha().with_wrong_secret());
    world.store.apply(of_class("orders"));
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False Settling"),
        "{}",
        world.state()
    );
    world.advance(Duration::from_mins(3));
    assert!(
        world.state().starts_with("Ready=False SignatureMismatch"),
        "{}",
        world.state()
    );
}

#[test]
fn a_secret_that_the_store_changed_is_a_confirmed_rejection_of_the_published_pair() {
    let mut world = published();
    world.aws.breaks_signatures = true;
    world.advance(Duration::from_mins(61));
    assert!(
        world
            .state()
            .contains("Verified=Unknown RejectionUnconfirmed"),
        "{}",
        world.state()
    );
    assert!(world.state().starts_with("Ready=True"));
    world.advance(Duration::from_mins(3));
    assert!(
        world.state().starts_with("Ready=False SignatureMismatch"),
        "{}",
        world.state()
    );
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn withdraw_keeps_the_pair_of_a_store_that_nobody_else_can_vouch_for() {
    let mut world = published();
    world.respecify(|spec| spec.validation.on_rejected = OnRejected::Withdraw);
    world.settle();
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(3));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn an_outage_of_the_store_leaves_a_published_pair_ready() {
    let mut world = published();
    world.aws.outage = Some(Reason::EndpointUnreachable);
    world.advance(Duration::from_hours(2));
    assert!(
        world
            .state()
            .starts_with("Ready=True Published, Verified=Unknown EndpointUnreachable")
    );
    world.aws.outage = None;
    world.advance(Duration::from_mins(10));
    assert_eq!(world.state(), READY);
}

#[test]
fn what_only_an_administrator_can_mend_stalls_an_unpublished_pair() {
    for reason in [
        Reason::EndpointAcceptsAnything,
        Reason::EndpointRegionMismatch,
    ] {
        let mut world = World::new();
        world.classes.insert("minio".to_owned(), Ok(store(1)));
        world.aws.silent.insert("minio".to_owned(), reason);
        world.fill(SOURCE, &alpha());
        world.store.apply(of_class("orders"));
        world.settle_twice();
        let state = world.state();
        assert!(
            state.starts_with(&format!("Ready=False {}", reason.as_str())),
            "{state}"
        );
        assert!(state.ends_with("Stalled"), "{state}");
    }
}

#[test]
fn a_resource_that_leaves_its_class_for_aws_is_proven_by_aws() {
    let mut world = published();
    world.respecify(|spec| {
        spec.class_ref = None;
        spec.region = Some("eu-west-1".to_owned());
    });
    world.settle_twice();
    assert!(
        world.state().contains("Verified=True IdentityVerified"),
        "{}",
        world.state()
    );
    let status = world.status();
    assert!(status.identity.is_some() && status.class.is_none());
    world.respecify(|spec| {
        spec.region = None;
        spec.class_ref = of_class("orders").spec.class_ref;
    });
    world.settle_twice();
    // The answer of the store is cached.
    assert_eq!((world.state().as_str(), world.questions()), (READY, 2));
    assert_eq!(world.status().identity, None);
}
