//! A class that appears, changes or disappears.

use std::{sync::Arc, time::Duration};

use static_aws_credentials::{
    api::{OnRejected, Reason},
    domain::{class, place::Store},
};

use super::{READY, not_found, published, set, store, with_pair};
use crate::sim::{SOURCE, alpha, beta};

#[test]
fn an_unknown_class_publishes_nothing_until_it_appears() {
    let mut world = with_pair(not_found());
    assert!(world.state().starts_with("Ready=False ClassNotFound"));
    assert_eq!((world.target(), world.questions()), (None, 0));
    world.log.clear();
    world.restart();
    world.advance(Duration::from_hours(5));
    assert_eq!(world.requests(), "");
    set(&mut world, Ok(store(1)));
    assert_eq!(
        (world.state().as_str(), world.target()),
        (READY, Some(alpha()))
    );
}

#[test]
fn a_class_that_disappears_takes_no_published_pair_away_not_even_under_withdraw() {
    let mut world = published();
    world.respecify(|spec| spec.validation.on_rejected = OnRejected::Withdraw);
    world.settle();
    for finding in [
        class::not_found("minio"),
        class::invalid("minio", "spec.endpoint.caBundle", "it is not PEM"),
    ] {
        set(&mut world, Err(finding.clone()));
        world.advance(Duration::from_hours(9));
        assert!(
            world
                .state()
                .starts_with(&format!("Ready=False {}", finding.reason.as_str()))
        );
        assert_eq!(world.target(), Some(alpha()));
    }
    set(&mut world, Ok(store(1)));
    assert_eq!(world.state(), READY);
}

#[test]
fn a_new_pair_waits_for_a_class_that_has_disappeared() {
    let mut world = published();
    set(&mut world, not_found());
    world.fill(SOURCE, &beta());
    world.settle();
    assert_eq!(world.target(), Some(alpha()));
    set(&mut world, Ok(store(1)));
    assert_eq!(world.target(), Some(beta()));
}

#[test]
fn a_class_that_changes_asks_about_a_published_pair_at_its_next_interval_alone() {
    let mut world = published();
    set(&mut world, Ok(store(2)));
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
    assert_eq!(world.status().class.map(|class| class.generation), Some(2));
    world.advance(Duration::from_mins(66));
    assert_eq!((world.state().as_str(), world.questions()), (READY, 2));
}

#[test]
fn a_pair_that_the_former_store_proved_is_asked_about_anew_before_it_is_written() {
    let mut world = published();
    world
        .aws
        .silent
        .insert("minio".to_owned(), Reason::EndpointThrottled);
    world.fill(SOURCE, &beta());
    world.settle();
    assert_eq!(world.target(), Some(alpha()));
    world.aws.silent.clear();
    world.aws.deactivate(&beta());
    set(&mut world, Ok(store(2)));
    world.advance(Duration::from_mins(10));
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_class_that_was_created_again_proves_anew() {
    let mut world = published();
    let other = Store {
        uid: "another".to_owned(),
        ..(*store(1)).clone()
    };
    set(&mut world, Ok(Arc::new(other)));
    assert_eq!((world.state().as_str(), world.questions()), (READY, 2));
}

#[test]
fn a_class_with_another_region_is_written_to_the_target_at_once_and_once() {
    let mut world = published();
    let moved = Store {
        region: "garage".to_owned(),
        ..(*store(2)).clone()
    };
    world.log.clear();
    set(&mut world, Ok(Arc::new(moved)));
    let requests = world.requests();
    assert!(
        requests.contains("replace orders-credentials"),
        "{requests}"
    );
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
    world.log.clear();
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
}
