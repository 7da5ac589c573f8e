//! What happens when a resource is suspended and resumed.

use std::time::Duration;

use crate::sim::{SOURCE, TARGET, World, beta, resource};
use static_aws_credentials::api::ConditionType;

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

#[test]
fn suspended_means_one_status_write_and_nothing_else() {
    let mut world = World::published();
    world.respecify(|spec| spec.suspend = true);
    world.settle_twice();
    assert_eq!(world.requests(), "status orders");
    assert!(
        world.state().starts_with("Ready=True Suspended"),
        "{}",
        world.state()
    );
    world.store.delete(TARGET, None).unwrap();
    world.fill(SOURCE, &beta());
    world.advance(Duration::from_hours(9));
    world.settle_twice();
    assert_eq!((world.requests().as_str(), world.questions()), ("", 1));
    world.respecify(|spec| spec.suspend = false);
    world.settle_twice();
    assert_eq!(
        (world.state().as_str(), world.target()),
        (READY, Some(beta()))
    );
}

#[test]
fn resumed_without_a_change_in_between_needs_no_question() {
    let mut world = World::published();
    for suspend in [true, false] {
        world.respecify(|spec| spec.suspend = suspend);
        world.settle_twice();
    }
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
    assert!(!world.requests().contains("replace"));
}

#[test]
fn suspended_keeps_stalled_and_drops_reconciling() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    world.settle();
    world.respecify(|spec| spec.suspend = true);
    world.settle_twice();
    assert!(world.state().starts_with("Ready=False Suspended"));
    assert!(!world.state().contains("Reconciling"));
    let mut world = World::published_with(|spec| {
        spec.validation.account_id = Some("999999999999".to_owned());
    });
    world.respecify(|spec| spec.suspend = true);
    world.settle_twice();
    assert!(world.state().ends_with("Stalled"), "{}", world.state());
    assert!(!world.message(ConditionType::Ready).is_empty());
}
