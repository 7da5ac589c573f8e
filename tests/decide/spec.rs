//! What happens when the spec changes.

use std::{collections::BTreeMap, time::Duration};

use crate::sim::{DEFAULT_ACCOUNT, SOURCE, TARGET, World, alpha, resource, root};
use static_aws_credentials::api::{
    Layout, OnRejected, Reason, RootUser, TargetValue, ValidationLevel,
};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

#[test]
fn layouts_and_keys_are_written_anew_without_a_question() {
    let mut world = World::published();
    world.respecify(|spec| {
        spec.target.layouts = vec![Layout::Mendix];
        spec.target.keys = BTreeMap::from([("id".to_owned(), TargetValue::AccessKeyId)]);
    });
    world.settle_twice();
    let data = world.store.secret(TARGET).unwrap().data.clone().unwrap();
    let keys: Vec<&str> = data.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "mx-const-AWSAuthentication.AccessKey",
            "mx-const-AWSAuthentication.SecretAccessKey"
        ]
    );
    assert_eq!((world.questions(), world.state().as_str()), (1, READY));
    assert_eq!(world.status().published.unwrap().revision, 1);
}

#[test]
fn layouts_wait_for_a_source_that_is_bad_or_absent() {
    for mut world in World::published_without_a_proven_source() {
        let before = world.store.secret(TARGET).cloned();
        world.respecify(|spec| spec.target.layouts = vec![Layout::Mendix]);
        world.settle_twice();
        assert_eq!(world.store.secret(TARGET).cloned(), before);
        assert!(
            world
                .state()
                .contains("Published=True ServingLastKnownGood"),
            "{}",
            world.state()
        );
    }
}

#[test]
fn a_pin_is_judged_offline_also_while_aws_is_away() {
    let mut world = World::published();
    world.aws.outage = Some(Reason::StsUnreachable);
    world.respecify(|spec| spec.validation.account_id = Some("999999999999".to_owned()));
    world.settle();
    assert!(
        world
            .state()
            .starts_with("Ready=False PinMismatch, Verified=False PinMismatch"),
        "{}",
        world.state()
    );
    assert!(world.state().ends_with("Stalled"));
    assert_eq!((world.target(), world.questions()), (Some(alpha()), 1));
    world.respecify(|spec| spec.validation.account_id = Some(format!("{DEFAULT_ACCOUNT}")));
    world.settle();
    assert_eq!(world.state(), READY);
    assert_eq!(world.questions(), 1);
}

#[test]
fn a_pin_is_judged_offline_after_a_restart_too() {
    let mut world = World::published();
    world.respecify(|spec| spec.validation.arn = Some("arn:aws:iam::*:user/other/*".to_owned()));
    world.restart();
    world.aws.outage = Some(Reason::StsUnreachable);
    world.settle();
    assert!(
        world.state().starts_with("Ready=False PinMismatch"),
        "{}",
        world.state()
    );
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_pin_that_no_longer_holds_withdraws_under_withdraw() {
    let mut world = World::published();
    world.respecify(|spec| {
        spec.validation.on_rejected = OnRejected::Withdraw;
        spec.validation.arn = Some("arn:aws:iam::*:user/other/*".to_owned());
    });
    world.settle_twice();
    assert_eq!(world.target(), None);
    assert!(
        world.state().contains("Published=False Withdrawn"),
        "{}",
        world.state()
    );
    world.respecify(|spec| spec.validation.arn = None);
    world.settle_twice();
    assert_eq!(
        (world.state().as_str(), world.target()),
        (READY, Some(alpha()))
    );
}

#[test]
fn a_root_users_pair_needs_consent() {
    let mut world = World::new();
    world.fill(SOURCE, &root());
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert!(world.state().starts_with("Ready=False RootUserDenied"));
    assert_eq!(world.target(), None);
    world.respecify(|spec| spec.validation.root_user = RootUser::Allow);
    world.settle_twice();
    assert_eq!(
        (world.state().as_str(), world.target()),
        (READY, Some(root()))
    );
    assert_eq!(world.questions(), 1);
}

#[test]
fn at_format_nobody_is_asked_and_the_identity_goes() {
    let mut world = World::published();
    world.respecify(|spec| spec.validation.level = ValidationLevel::Format);
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=True Published, Verified=True FormatOnly, Published=True Published"
    );
    let status = world.status();
    assert_eq!((status.identity, status.last_verified_time), (None, None));
    assert_eq!(world.next_look("orders"), None);
    assert_eq!(world.questions(), 1);
}

#[test]
fn from_format_to_identity_is_reconciling_until_proven_and_then_writes_no_target() {
    let mut world = World::published_with(|spec| spec.validation.level = ValidationLevel::Format);
    world.aws.outage = Some(Reason::StsUnreachable);
    world.respecify(|spec| spec.validation.level = ValidationLevel::Identity);
    world.settle();
    assert!(
        world.state().starts_with("Ready=False StsUnreachable"),
        "{}",
        world.state()
    );
    assert!(world.state().ends_with("Reconciling"));
    world.aws.outage = None;
    world.advance(Duration::from_mins(2));
    assert_eq!(world.state(), READY);
    assert!(!world.requests().contains("replace"));
    assert_eq!(world.status().published.unwrap().revision, 1);
}

#[test]
fn at_format_the_account_in_the_id_decides_and_fails_closed() {
    let format = |account: &str| {
        World::published_with(|spec| {
            spec.validation.level = ValidationLevel::Format;
            spec.validation.account_id = Some(account.to_owned());
        })
    };
    assert_eq!(format("123456789012").target(), Some(alpha()));
    let other = format("999999999999");
    assert!(other.state().starts_with("Ready=False AccountMismatch"));
    assert_eq!((other.target(), other.questions()), (None, 0));
    let mut unknown = format("123456789012");
    unknown.store.edit(SOURCE, |secret| {
        let data = secret.data.as_mut().unwrap();
        data.get_mut("AWS_ACCESS_KEY_ID").unwrap().0 = b"AKIAIOSFODNN7ABCDEFG".to_vec();
    });
    unknown.settle_twice();
    assert!(
        unknown.state().starts_with("Ready=False AccountUnknown"),
        "{}",
        unknown.state()
    );
}

#[test]
fn another_region_is_written_at_once_and_proven_right_after() {
    let mut world = World::published();
    world.respecify(|spec| spec.region = Some("eu-central-1".to_owned()));
    world.settle_twice();
    let data = world.store.secret(TARGET).unwrap().data.clone().unwrap();
    assert_eq!(data["AWS_REGION"].0, b"eu-central-1");
    assert_eq!(world.state(), READY);
    assert_eq!(world.aws.asked.last().unwrap().region, "eu-central-1");
    assert_eq!(world.questions(), 2);
}

#[test]
fn another_region_is_written_at_once_while_aws_is_away() {
    let mut world = World::published();
    world.aws.outage = Some(Reason::StsUnreachable);
    world.respecify(|spec| spec.region = Some("eu-central-1".to_owned()));
    world.settle();
    let data = world.store.secret(TARGET).unwrap().data.clone().unwrap();
    assert_eq!(data["AWS_REGION"].0, b"eu-central-1");
    assert!(world.state().starts_with("Ready=True"), "{}", world.state());
}
