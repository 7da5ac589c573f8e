//! A call that waits for AWS blocks no reconcile: changes take effect meanwhile.

use std::time::Duration;

use static_aws_credentials::{
    api::{Layout, Reason},
    domain::decide::Awaited,
};

use crate::sim::{SOURCE, TARGET, World, alpha, beta, foreign_account, resource};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

/// `alpha` is published, and its next verification waits.
fn proof_waits(awaited: Awaited) -> World {
    let mut world = World::published();
    world.aws.awaits = Some(awaited);
    world.advance(Duration::from_hours(2));
    assert_eq!(world.process.questions.len(), 1);
    world.log.clear();
    world
}

/// `alpha` is published, and the source holds `beta`, whose verification waits.
fn new_pair_waits(awaited: Awaited) -> World {
    let mut world = World::published();
    world.aws.awaits = Some(awaited);
    world.fill(SOURCE, &beta());
    world.settle();
    assert_eq!(world.process.questions.len(), 1);
    world.log.clear();
    world
}

#[test]
fn a_pair_that_waits_costs_nothing_until_aws_has_answered() {
    for mut world in [proof_waits(Awaited::Turn), new_pair_waits(Awaited::Turn)] {
        let before = world.state();
        world.settle_twice();
        world.advance(Duration::from_hours(9));
        assert_eq!((world.requests().as_str(), world.state()), ("", before));
        world.answer();
        assert_eq!(world.state(), READY);
        assert_eq!(world.questions(), 2);
        world.settle_twice();
        assert!(world.next_look("orders").is_some());
    }
}

#[test]
fn a_source_that_changes_overtakes_its_question() {
    let mut world = new_pair_waits(Awaited::Turn);
    world.fill(SOURCE, &foreign_account());
    world.settle_twice();
    world.answer();
    assert_eq!(world.target(), Some(foreign_account()));
    let asked: Vec<&str> = world.aws.asked.iter().map(|asked| &*asked.id).collect();
    assert_eq!(asked, [alpha().id, foreign_account().id]);
}

#[test]
fn a_source_that_holds_the_published_pair_again_needs_no_answer() {
    let mut world = new_pair_waits(Awaited::Turn);
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert!(world.process.questions.is_empty());
}

#[test]
fn a_source_that_goes_gives_its_question_up() {
    let mut world = new_pair_waits(Awaited::Turn);
    world.store.delete(SOURCE, None).unwrap();
    world.settle_twice();
    assert!(world.state().starts_with("Ready=False SourceNotFound"));
    assert!(world.process.questions.is_empty());
}

#[test]
fn a_resource_that_is_suspended_gives_its_question_up() {
    for mut world in [proof_waits(Awaited::Turn), new_pair_waits(Awaited::Turn)] {
        world.respecify(|spec| spec.suspend = true);
        world.settle_twice();
        assert!(world.state().starts_with("Ready=True Suspended"));
        assert!(world.process.questions.is_empty());
        assert_eq!(world.requests(), "status orders");
    }
}

#[test]
fn a_target_is_restored_while_the_proof_of_its_pair_waits() {
    for awaited in [Awaited::Turn, Awaited::Endpoint(Reason::StsUnreachable)] {
        let mut world = proof_waits(awaited);
        let before = world.state();
        for _ in 0..6 {
            world.store.delete(TARGET, None).unwrap();
            world.advance(Duration::from_mins(6));
            assert_eq!(world.target(), Some(alpha()));
        }
        assert_eq!(world.state(), before);
        assert_eq!((world.process.questions.len(), world.questions()), (1, 1));
        world.answer();
        assert_eq!((world.state().as_str(), world.questions()), (READY, 2));
    }
}

#[test]
fn a_spec_is_followed_while_the_proof_waits_by_a_new_process_too() {
    for restarted in [false, true] {
        let mut world = proof_waits(Awaited::Turn);
        if restarted {
            world.restart();
            world.advance(Duration::from_hours(2));
        }
        world.respecify(|spec| spec.target.layouts = vec![Layout::Mendix]);
        world.settle_twice();
        let target = world.store.secret(TARGET).unwrap();
        let keys: Vec<&String> = target.data.iter().flatten().map(|(key, _)| key).collect();
        assert!(
            keys.iter().all(|key| key.starts_with("mx-const")),
            "{keys:?}"
        );
        assert_eq!(world.state(), READY);
        assert_eq!((world.process.questions.len(), world.questions()), (1, 1));
    }
}

#[test]
fn a_doubt_lasts_while_the_next_proof_waits() {
    let mut world = World::published();
    world.aws.outage = Some(Reason::StsThrottled);
    world.advance(Duration::from_hours(2));
    let doubt = "Ready=True Published, Verified=Unknown StsThrottled, Published=True Published";
    assert_eq!(world.state(), doubt);
    world.aws.awaits = Some(Awaited::Turn);
    world.advance(Duration::from_hours(2));
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(
        (world.state().as_str(), world.target()),
        (doubt, Some(alpha()))
    );
    world.aws.outage = None;
    world.answer();
    assert_eq!(world.state(), READY);
}

#[test]
fn an_endpoint_that_gives_no_answer_is_reported_once() {
    let away = Awaited::Endpoint(Reason::StsUnreachable);
    let mut proof = World::published();
    proof.aws.awaits = Some(away);
    proof.advance(Duration::from_hours(2));
    let mut new = World::new();
    new.aws.awaits = Some(away);
    new.fill(SOURCE, &alpha());
    new.store.apply(resource("orders"));
    new.settle();
    for (mut world, state) in [
        (
            proof,
            "Ready=True Published, Verified=Unknown StsUnreachable, Published=True Published",
        ),
        (
            new,
            "Ready=False StsUnreachable, Verified=Unknown StsUnreachable, Published=False NotPublished, Reconciling",
        ),
    ] {
        assert_eq!(world.state(), state);
        let writes = world.log.iter().filter(|it| *it == "status orders");
        assert_eq!(writes.count(), 1);
        world.log.clear();
        world.settle_twice();
        world.advance(Duration::from_hours(9));
        assert_eq!(world.requests(), "");
        world.answer();
        assert_eq!(world.state(), READY);
    }
}

/// A new process trusts a Ready status that matches source, target and spec. The status stays Ready while a call is
/// pending, and the answer is used all the same.
#[test]
fn the_answer_is_used_though_the_status_looks_settled() {
    let mut world = World::published();
    world.restart();
    world.settle();
    world.aws.awaits = Some(Awaited::Endpoint(Reason::StsUnreachable));
    world.respecify(|spec| spec.validation.interval = "2h".to_owned());
    world.settle_twice();
    assert!(world.state().contains("Verified=Unknown StsUnreachable"));
    world.answer();
    assert_eq!(world.state(), READY);
}

#[test]
fn the_pause_after_answers_that_say_nothing_belongs_to_the_pair() {
    let mut world = World::new();
    world.aws.outage = Some(Reason::StsThrottled);
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    for _ in 0..6 {
        world.settle();
        world.advance(world.next_look("orders").unwrap());
    }
    assert!(world.next_look("orders").unwrap() > Duration::from_mins(1));
    world.fill(SOURCE, &beta());
    world.settle();
    assert_eq!(world.next_look("orders"), Some(Duration::from_secs(2)));
    let same = world.next_look("orders").unwrap();
    world.advance(same);
    assert_eq!(world.next_look("orders"), Some(Duration::from_secs(4)));
}
