//! The operator's `--credential-process-ttl`, which is part of a target and of no spec.

use static_aws_credentials::api::{Layout, StaticAwsCredentialsSpec};

use crate::sim::{SOURCE, TARGET, World, alpha, beta};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

fn hot(spec: &mut StaticAwsCredentialsSpec) {
    spec.target.layouts = vec![Layout::Env, Layout::CredentialProcess];
}

/// Restarts the process with another setting.
fn restarted(world: &mut World, ttl: u32) {
    world.credential_process_ttl = ttl;
    world.restart();
}

/// The TTL in the target for SDKs, and the TTL in the status.
fn written_ttl(world: &World) -> (String, Option<i64>) {
    let data = world.store.secret(TARGET).unwrap().data.clone().unwrap();
    let config = String::from_utf8(data["config-process"].0.clone()).unwrap();
    let ttl = config.trim_end().rsplit(' ').next().unwrap().to_owned();
    let published = world.status().published.unwrap();
    (ttl, published.credential_process_ttl_seconds)
}

#[test]
fn another_setting_is_written_once_and_aws_is_not_asked() {
    let mut world = World::published_with(hot);
    assert_eq!(written_ttl(&world), ("1080".to_owned(), Some(1080)));
    let before = world.status();
    restarted(&mut world, 2000);
    world.settle_twice();
    assert_eq!(written_ttl(&world), ("2000".to_owned(), Some(2000)));
    assert_eq!((world.questions(), world.state().as_str()), (1, READY));
    let requests = world.requests();
    assert_eq!(
        requests.matches(&format!("replace {TARGET}")).count(),
        1,
        "{requests}"
    );

    let (before, after) = (before.published.unwrap(), world.status().published.unwrap());
    assert_eq!(after.revision, before.revision, "it is the same pair");
    assert_eq!(after.time, before.time);
}

#[test]
fn the_same_setting_costs_a_new_process_no_request() {
    let mut world = World::published_with(hot);
    restarted(&mut world, 1080);
    world.settle_twice();
    assert_eq!(world.requests(), "");
}

#[test]
fn a_target_without_the_layout_does_not_care() {
    let mut world = World::published();
    let published = world.status().published.unwrap();
    assert_eq!(published.credential_process_ttl_seconds, None);
    restarted(&mut world, 2000);
    world.settle_twice();
    assert_eq!(world.requests(), "");
}

#[test]
fn a_status_of_an_older_operator_is_completed_without_a_write_of_the_target() {
    let mut world = World::published_with(hot);
    let mut orders = world.store.resources["orders"].clone();
    let published = orders
        .status
        .as_mut()
        .and_then(|status| status.published.as_mut());
    published.unwrap().credential_process_ttl_seconds = None;
    world.store.resources.insert("orders".to_owned(), orders);
    restarted(&mut world, 1080);
    world.settle_twice();
    assert_eq!(written_ttl(&world), ("1080".to_owned(), Some(1080)));
    let requests = world.requests();
    assert!(!requests.contains("replace"), "{requests}");
    assert_eq!(world.questions(), 1);
    assert_eq!(world.status().published.unwrap().revision, 1);
}

#[test]
fn another_setting_waits_for_a_source_that_is_good() {
    let mut world = World::published_with(hot);
    world.fill(SOURCE, &beta().with_wrong_secret());
    world.settle();
    restarted(&mut world, 2000);
    world.settle_twice();
    assert_eq!(written_ttl(&world), ("1080".to_owned(), Some(1080)));
    assert_eq!(world.target(), Some(alpha()));

    world.fill(SOURCE, &beta());
    world.settle_twice();
    assert_eq!(written_ttl(&world), ("2000".to_owned(), Some(2000)));
    assert_eq!(world.target(), Some(beta()));
}

#[test]
fn a_rotation_under_another_setting_is_one_write() {
    let mut world = World::published_with(hot);
    world.fill(SOURCE, &beta());
    restarted(&mut world, 2000);
    world.settle_twice();
    assert_eq!(written_ttl(&world), ("2000".to_owned(), Some(2000)));
    assert_eq!(world.target(), Some(beta()));
    assert_eq!(world.status().published.unwrap().revision, 2);
    let requests = world.requests();
    assert_eq!(requests.matches("replace").count(), 1, "{requests}");
}
