//! A signature that STS rejects: a fault of the pair only if the pair was never verified.

use std::time::Duration;

use static_aws_credentials::api::{ConditionType, OnRejected, ValidationLevel};

use crate::sim::{SOURCE, World, alpha, beta, resource};

const DOUBTED: &str =
    "Ready=True Published, Verified=Unknown StsRequestAltered, Published=True Published";

fn withdrawing() -> World {
    World::published_with(|spec| spec.validation.on_rejected = OnRejected::Withdraw)
}

#[test]
fn a_wrong_secret_is_refused_at_once_and_asked_about_each_interval() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha().with_wrong_secret());
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert!(world.state().starts_with("Ready=False SignatureMismatch"));
    assert_eq!(world.questions(), 1);
    world.advance(Duration::from_hours(9));
    assert_eq!(world.questions(), 10);
    assert!(world.state().starts_with("Ready=False SignatureMismatch"));
}

#[test]
fn a_pair_that_was_refused_behind_a_broken_proxy_is_published_within_an_interval_of_its_repair() {
    let mut world = World::new();
    world.aws.breaks_signatures = true;
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.settle();
    assert!(world.state().starts_with("Ready=False SignatureMismatch"));
    world.aws.breaks_signatures = false;
    world.advance(Duration::from_mins(66));
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_refused_pair_is_asked_about_within_a_minute_of_a_start_and_the_start_itself_asks_nothing() {
    let refuse: [fn(&mut World, bool); 2] = [
        |world, breaks| world.aws.breaks_signatures = breaks,
        |world, inactive| {
            if inactive {
                world.aws.deactivate(&alpha());
            } else {
                world.aws.activate(&alpha());
            }
        },
    ];
    for refuse in refuse {
        let mut world = World::new();
        refuse(&mut world, true);
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.advance(Duration::from_mins(2));
        let state = world.state();
        assert!(state.ends_with("Stalled"), "{state}");
        refuse(&mut world, false);
        world.log.clear();
        for jitter in [0.1, 0.9] {
            world.jitter = jitter;
            world.restart();
            world.settle();
            assert_eq!(world.requests(), "", "{state}");
        }
        world.advance(Duration::from_mins(1));
        assert_eq!(world.target(), Some(alpha()), "{state}");
    }
}

#[test]
fn a_touched_source_of_a_pair_with_a_wrong_signature_is_asked_about_anew() {
    let mut world = World::new();
    world.aws.breaks_signatures = true;
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.advance(Duration::from_secs(2));
    world.aws.breaks_signatures = false;
    world.store.edit(SOURCE, |secret| {
        secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    });
    world.settle();
    assert_eq!(world.target(), Some(alpha()));
}

/// Whether this process verified the pair, or an earlier one.
#[test]
fn a_wrong_signature_of_a_proven_pair_is_doubted_and_withdraws_nothing() {
    let ways: [fn(&mut World); 4] = [
        |_| {},
        World::restart,
        |world| {
            world.restart();
            world.store.edit(SOURCE, |secret| {
                secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
            });
        },
        |world| {
            // Verified is Unknown when the next process starts.
            world.advance(Duration::from_hours(2));
            world.restart();
        },
    ];
    for way in ways {
        let mut world = withdrawing();
        world.aws.breaks_signatures = true;
        way(&mut world);
        world.advance(Duration::from_hours(9));
        assert_eq!(world.state(), DOUBTED);
        assert_eq!(world.target(), Some(alpha()));
        let message = world.message(ConditionType::Verified);
        assert!(message.contains("proxy"), "{message}");
        world.aws.breaks_signatures = false;
        world.advance(Duration::from_hours(2));
        assert!(world.state().contains("Verified=True IdentityVerified"));
    }
}

#[test]
fn a_proven_pair_with_a_wrong_signature_is_asked_about_again_after_seconds() {
    let mut world = withdrawing();
    world.aws.breaks_signatures = true;
    let pause = world.next_look("orders").unwrap();
    world.advance(pause);
    assert_eq!(world.state(), DOUBTED);
    world.aws.breaks_signatures = false;
    world.advance(Duration::from_secs(30));
    assert!(world.state().contains("Verified=True IdentityVerified"));
}

#[test]
fn a_wrong_signature_in_the_default_region_confirms_no_refusal() {
    let mut world = withdrawing();
    world.aws.disabled.insert("eu-west-1".to_owned());
    world.aws.breaks_signatures = true;
    world.advance(Duration::from_hours(3));
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.state(), DOUBTED);
    assert!(world.message(ConditionType::Verified).contains("us-east-1"));
}

#[test]
fn a_pair_that_was_published_unproven_is_refused_for_a_wrong_signature_and_not_withdrawn() {
    for restarts in [false, true] {
        let mut world = World::new();
        world.fill(SOURCE, &alpha().with_wrong_secret());
        let mut orders = resource("orders");
        orders.spec.validation.level = ValidationLevel::Format;
        orders.spec.validation.on_rejected = OnRejected::Withdraw;
        world.vouched.insert(alpha().id);
        world.store.apply(orders);
        world.settle();
        assert!(world.state().starts_with("Ready=True Published"));
        if restarts {
            world.restart();
        }
        world.respecify(|spec| spec.validation.level = ValidationLevel::Identity);
        world.advance(Duration::from_hours(3));
        assert_eq!(
            world.state(),
            "Ready=False SignatureMismatch, Verified=False SignatureMismatch, Published=True Published, Stalled"
        );
        assert_eq!(world.status().published.unwrap().revision, 1);
    }
}

/// IAM never changes a secret, so a wrong signature of another secret with the published ID is the pair's fault.
#[test]
fn another_secret_with_the_id_of_a_proven_pair_is_refused_at_once() {
    for restarts in [false, true] {
        let mut world = withdrawing();
        if restarts {
            world.restart();
        }
        world.fill(SOURCE, &alpha().with_wrong_secret());
        world.settle();
        assert_eq!(
            world.state(),
            "Ready=False SignatureMismatch, Verified=False SignatureMismatch, Published=True ServingLastKnownGood, Stalled"
        );
        world.advance(Duration::from_hours(3));
        assert_eq!(world.target(), Some(alpha()));
        world.fill(SOURCE, &beta());
        world.settle();
        assert_eq!(world.target(), Some(beta()));
    }
}
