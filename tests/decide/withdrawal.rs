//! `onRejected: Withdraw`: when the target is deleted for a rejected pair, and when it is left alone.

use std::time::Duration;

use k8s_openapi::ByteString;

use crate::sim::{SOURCE, TARGET, World, alpha};
use static_aws_credentials::api::{ConditionType, OnRejected, Reason};

fn withdrawing() -> World {
    World::published_with(|spec| spec.validation.on_rejected = OnRejected::Withdraw)
}

#[test]
fn a_first_refusal_that_is_not_repeated_is_forgotten() {
    let mut world = withdrawing();
    world.aws.deactivate(&alpha());
    let pause = world.next_look("orders").unwrap();
    world.advance(pause);
    world.aws.activate(&alpha());
    world.advance(Duration::from_mins(2));
    assert_eq!(world.status().settling, None);
    assert!(world.state().contains("Verified=True IdentityVerified"));
    world.aws.deactivate(&alpha());
    let pause = world.next_look("orders").unwrap();
    world.advance(pause);
    assert!(
        world
            .state()
            .contains("Ready=True Published, Verified=Unknown RejectionUnconfirmed")
    );
}

#[test]
fn withdraw_deletes_the_target_and_asks_the_default_region_before() {
    let mut world = withdrawing();
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(2));
    assert_eq!(world.target(), None);
    assert_eq!(
        world.state(),
        "Ready=False AccessKeyUnknown, Verified=False AccessKeyUnknown, Published=False Withdrawn, Stalled"
    );
    let status = world.status();
    assert_eq!(
        (status.published, status.binding, status.identity),
        (None, None, None)
    );
    let regions: Vec<&str> = world
        .aws
        .asked
        .iter()
        .map(|asked| asked.region.as_str())
        .collect();
    assert_eq!(
        regions[..4],
        ["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1"]
    );
    let deletes = world
        .log
        .iter()
        .filter(|request| request.starts_with("delete"));
    assert_eq!(deletes.collect::<Vec<_>>(), ["delete orders-credentials"]);
}

#[test]
fn a_region_that_was_switched_off_withdraws_nothing() {
    let mut world = withdrawing();
    world.aws.disabled.insert("eu-west-1".to_owned());
    world.advance(Duration::from_hours(5));
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(
        world.state(),
        "Ready=True Published, Verified=Unknown RegionDisabled, Published=True Published"
    );
    assert!(world.message(ConditionType::Verified).contains("us-east-1"));
}

#[test]
fn a_default_region_that_cannot_be_asked_withdraws_nothing_and_is_named() {
    let mut world = withdrawing();
    world.aws.deactivate(&alpha());
    let refused = Reason::StsAccessDenied;
    world.aws.silent.insert("us-east-1".to_owned(), refused);
    world.advance(Duration::from_hours(5));
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(
        world.state(),
        "Ready=True Published, Verified=Unknown StsAccessDenied, Published=True Published"
    );
    let message = world.message(ConditionType::Verified);
    assert!(
        message.contains("only if us-east-1 refuses it too"),
        "{message}"
    );
}

#[test]
fn a_withdrawn_target_is_not_restored_until_the_pair_is_good_again() {
    let mut world = withdrawing();
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(2));
    world.requests();
    world.restart();
    world.settle_twice();
    world.advance(Duration::from_mins(30));
    assert_eq!(world.target(), None);
    assert!(world.state().contains("Published=False Withdrawn"));
    world.aws.activate(&alpha());
    world.advance(Duration::from_hours(2));
    assert_eq!(world.target(), Some(alpha()));
    assert!(world.state().starts_with("Ready=True Published"));
}

#[test]
fn withdraw_leaves_a_secret_that_is_not_ours_any_more() {
    let mut world = withdrawing();
    world.store.edit(TARGET, |secret| {
        secret.metadata.owner_references = None;
        secret.metadata.labels = None;
        secret.metadata.annotations = None;
    });
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(3));
    assert!(world.store.secret(TARGET).is_some());
}

/// Another writer changes a target with a rejected pair, and then the policy becomes `Withdraw`.
fn withdrawn_after(restart: bool, change: impl Fn(&mut World)) -> (World, String) {
    let mut world = World::published();
    world.aws.deactivate(&alpha());
    world.advance(Duration::from_hours(2));
    change(&mut world);
    world.settle();
    if restart {
        world.restart();
    }
    world.respecify(|spec| spec.validation.on_rejected = OnRejected::Withdraw);
    world.advance(Duration::from_hours(2));
    let state = world.state();
    (world, state)
}

/// Found by a random sequence of actions.
#[test]
fn a_target_that_was_edited_and_then_deleted_is_lost_and_was_not_withdrawn() {
    for restart in [false, true] {
        let mut world = withdrawing();
        world
            .store
            .edit(TARGET, |secret| secret.immutable = Some(true));
        world.settle();
        world.respecify(|spec| spec.validation.account_id = Some("999999999999".to_owned()));
        world.settle();
        if restart {
            world.restart();
            world.settle();
        }
        assert!(world.store.delete(TARGET, None).is_ok());
        world.settle();
        let state = world.state();
        assert!(state.contains("Published=False TargetLost"), "{state}");
        assert!(world.status().published.is_some());
    }
}

#[test]
fn withdraw_leaves_a_target_that_was_edited_whether_or_not_the_process_is_new() {
    for restart in [false, true] {
        let (world, state) = withdrawn_after(restart, |world| {
            world.store.edit(TARGET, |secret| {
                let data = secret.data.get_or_insert_default();
                data.insert("AWS_REGION".to_owned(), ByteString(b"elsewhere".to_vec()));
            });
        });
        assert!(state.contains("Published=False TargetModified"), "{state}");
        assert!(world.store.secret(TARGET).is_some());
        assert!(world.status().published.is_some());
    }
}

#[test]
fn a_target_that_was_lost_stays_lost_under_withdraw_whether_or_not_the_process_is_new() {
    for restart in [false, true] {
        let (world, state) = withdrawn_after(restart, |world| {
            let deleted = world.store.delete(TARGET, None);
            assert!(deleted.is_ok());
        });
        assert!(state.contains("Published=False TargetLost"), "{state}");
        assert!(world.status().published.is_some());
    }
}

/// AWS does not know a deactivated ID, with any secret. The time for which a wrong pair was rejected does not count for
/// the right pair that follows.
#[test]
fn a_published_pair_is_not_withdrawn_for_a_refusal_of_another_with_its_id() {
    for restarts in [false, true] {
        let mut world = withdrawing();
        // A process trusts its own verification for the rest of the interval.
        world.restart();
        world.aws.deactivate(&alpha());
        world.fill(SOURCE, &alpha().with_wrong_secret());
        world.advance(Duration::from_mins(30));
        assert_eq!(
            world.target(),
            Some(alpha()),
            "the wrong pair was never published"
        );
        if restarts {
            world.restart();
        }
        world.aws.asked.clear();
        world.fill(SOURCE, &alpha());
        world.advance(Duration::from_secs(30));
        assert_eq!(world.target(), Some(alpha()), "restarted: {restarts}");
        world.advance(Duration::from_mins(5));
        assert_eq!(world.target(), None, "it was refused twice, a minute apart");
        assert!(world.aws.asked.len() >= 2);
    }
}
