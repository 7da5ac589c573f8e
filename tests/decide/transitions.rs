//! The changes of a status that cause an event.

use std::time::Duration;

use kube::runtime::events::EventType;
use static_aws_credentials::{
    api::{Reason, StaticAwsCredentialsStatus},
    runtime::events::{event, transition_events},
};

use crate::sim::{SOURCE, World, alpha, beta, resource};

/// Events between two statuses: their type and reason.
fn said(before: &StaticAwsCredentialsStatus, after: &StaticAwsCredentialsStatus) -> Vec<String> {
    let show = |event: kube::runtime::events::Event| match event.type_ {
        EventType::Normal => format!("Normal {}", event.reason),
        EventType::Warning => format!("Warning {}", event.reason),
    };
    transition_events(before, after)
        .into_iter()
        .map(show)
        .collect()
}

/// The events of a change of a world.
fn during(world: &mut World, happens: impl FnOnce(&mut World)) -> Vec<String> {
    let before = world.status();
    happens(world);
    said(&before, &world.status())
}

#[test]
fn nothing_is_said_while_nothing_changes() {
    let mut world = World::published();
    let status = world.status();
    assert!(said(&status, &status).is_empty());
    let proof = during(&mut world, |world| world.advance(Duration::from_hours(3)));
    assert!(proof.is_empty(), "interval proofs are silent: {proof:?}");
}

#[test]
fn publication_and_rotation_are_said() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    assert_eq!(during(&mut world, World::settle), ["Normal Published"]);
    world.fill(SOURCE, &beta());
    assert_eq!(during(&mut world, World::settle), ["Normal Published"]);
}

#[test]
fn what_ends_ready_is_a_warning_and_said_once() {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    assert_eq!(
        during(&mut world, World::settle),
        ["Warning SourceNotFound"]
    );
    assert!(during(&mut world, World::settle).is_empty());
}

#[test]
fn a_doubt_about_a_ready_resource_is_said_and_so_is_its_end() {
    let mut world = World::published();
    world.aws.outage = Some(Reason::StsUnreachable);
    let doubt = during(&mut world, |world| world.advance(Duration::from_hours(2)));
    assert_eq!(doubt, ["Warning StsUnreachable"]);
    world.aws.outage = None;
    let end = during(&mut world, |world| world.advance(Duration::from_hours(2)));
    assert_eq!(end, ["Normal IdentityVerified"]);
}

#[test]
fn a_note_is_cut_to_what_an_event_may_carry() {
    let long = "ü".repeat(5000);
    let note = event("False", "Reason", &long).note.unwrap();
    assert!(note.len() <= 1024 && note.chars().count() > 500);
}
