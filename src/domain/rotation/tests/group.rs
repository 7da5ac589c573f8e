//! Resources that publish the same pair: the worst state applies to each of them.

use crate::{
    api::{Published, StaticAwsCredentialsStatus},
    domain::{
        index::NamespacedName,
        rotation::{
            Assessment, Key, Keys, OldKeyHolder, Others, Own, Relation, ReloadMode, judge, note,
            superseded,
        },
    },
};

use super::{
    KUBELET, PUBLISHED,
    overlap::{assert_condition, published},
    time,
};

const PICKING_UP: &str = "2026-01-01T12:11:00Z";
const PICKED_UP: &str = "2026-01-01T13:00:00Z";
const CLEAN: Option<Own> = Some(Own::Clean { settled: true });

fn with_published(
    mut status: StaticAwsCredentialsStatus,
    change: impl FnOnce(&mut Published),
) -> StaticAwsCredentialsStatus {
    change(status.published.as_mut().unwrap());
    status
}

/// The status after a rotation to another key.
fn rotated(
    before: &StaticAwsCredentialsStatus,
    to: &str,
    revision: i64,
) -> StaticAwsCredentialsStatus {
    let mut after = before.clone();
    after.published = published(to, revision).published;
    note(before, &mut after, KUBELET, time(PUBLISHED));
    after
}

fn first_rotation() -> StaticAwsCredentialsStatus {
    rotated(&published("AAAA", 1), "BBBB", 2)
}

fn keys(status: &StaticAwsCredentialsStatus) -> Vec<Key> {
    superseded(status.previous.as_ref().unwrap())
}

/// How another resource with this status uses the key that the first rotation superseded.
fn relation(other: &StaticAwsCredentialsStatus, own: Option<Own>, now: &str) -> Option<Relation> {
    Keys::of(other).relation(&keys(&first_rotation()), own, time(now))
}

/// Assessment of a resource without pods, beside another resource that has the key.
fn beside(relation: Relation, namespace: &str, now: &str) -> Assessment {
    let mut others = Others::new(true);
    let resource = NamespacedName::new("shop", "orders");
    others.add(
        &NamespacedName::new(namespace, "bills"),
        &resource,
        relation,
    );
    judge(&first_rotation(), &[], &others, time(now)).unwrap()
}

#[test]
fn a_publisher_of_the_key_is_recognized_by_its_digest() {
    let now = PICKED_UP;
    assert_eq!(
        relation(&published("AAAA", 7), None, now),
        Some(Relation::Publishes)
    );
    assert_eq!(
        relation(&published("BBBB", 7), None, now),
        None,
        "another key"
    );
    let other = with_published(published("AAAA", 1), |one| {
        one.key_digest = Some("1".repeat(32));
    });
    assert_eq!(
        relation(&other, None, now),
        None,
        "another key that ends alike"
    );
    assert_eq!(
        relation(&StaticAwsCredentialsStatus::default(), None, now),
        None
    );
}

#[test]
fn without_a_digest_only_the_same_suffix_is_reported() {
    let old = with_published(published("AAAA", 1), |one| one.key_digest = None);
    assert_eq!(relation(&old, None, PICKED_UP), Some(Relation::Alike));
    let old = with_published(published("CCCC", 1), |one| one.key_digest = None);
    assert_eq!(relation(&old, None, PICKED_UP), None);
}

#[test]
fn a_resource_that_superseded_the_key_too_counts_by_its_own_pods() {
    let other = first_rotation();
    let until = other
        .previous
        .as_ref()
        .unwrap()
        .picked_up_time
        .0
        .as_second();
    for (own, now, wanted) in [
        (None, PICKING_UP, Relation::PickingUp(until)),
        (None, PICKED_UP, Relation::Unknown),
        (Some(Own::Held), PICKING_UP, Relation::Holds),
        (Some(Own::Unsure), PICKED_UP, Relation::Unknown),
        (
            Some(Own::Clean { settled: false }),
            PICKING_UP,
            Relation::PickingUp(until),
        ),
        (
            Some(Own::Clean { settled: false }),
            PICKED_UP,
            Relation::Unknown,
        ),
        (CLEAN, PICKED_UP, Relation::Clean),
    ] {
        assert_eq!(relation(&other, own, now), Some(wanted), "{own:?} {now}");
    }
}

#[test]
fn after_a_restart_the_status_still_records_pods_that_hold_the_key() {
    let holder = OldKeyHolder {
        name: "web-0".to_owned(),
        reload_mode: ReloadMode::NeedsRestart,
        former: None,
    };
    let now = time(PICKED_UP);
    let held = judge(&first_rotation(), &[holder], &Others::new(true), now)
        .unwrap()
        .status;
    assert_eq!(relation(&held, None, PICKED_UP), Some(Relation::Holds));
    assert_eq!(relation(&held, CLEAN, PICKED_UP), Some(Relation::Clean));
}

#[test]
fn a_resource_with_an_unused_previous_key_has_no_relation_to_it() {
    let done = judge(&first_rotation(), &[], &Others::new(true), time(PICKED_UP)).unwrap();
    assert_eq!(relation(&done.status, None, PICKED_UP), None);
}

#[test]
fn a_key_before_the_last_one_is_followed_while_it_may_be_held() {
    let third = rotated(&first_rotation(), "CCCC", 3);
    let older = &third.previous.as_ref().unwrap().older_keys;
    assert_eq!(older.len(), 1);
    assert_eq!(older[0].key_id_suffix, "AAAA");
    assert_eq!(
        relation(&third, Some(Own::Held), PICKING_UP),
        Some(Relation::Holds)
    );
    let publishes = Keys::of(&published("AAAA", 1));
    let relation = publishes.relation(&keys(&third), None, time(PICKING_UP));
    assert_eq!(relation, Some(Relation::Publishes));
    let back = rotated(&third, "AAAA", 4);
    let older = &back.previous.as_ref().unwrap().older_keys;
    let suffixes: Vec<&str> = older.iter().map(|key| key.key_id_suffix.as_str()).collect();
    assert_eq!(
        suffixes,
        ["BBBB"],
        "what is published again is not superseded"
    );
}

#[test]
fn more_keys_than_are_followed_are_never_called_unused() {
    let mut status = first_rotation();
    for (revision, suffix) in (3..).zip(["CCCC", "DDDD", "EEEE", "FFFF", "GGGG"]) {
        status = rotated(&status, suffix, revision);
    }
    assert_eq!(status.previous.as_ref().unwrap().older_keys.len(), 4);
    let assessment = judge(&status, &[], &Others::new(true), time(PICKED_UP)).unwrap();
    assert_condition(&assessment.status, "Unknown", "ConsumersNotTraced", &[]);
    assert_eq!(assessment.again, None);
}

#[test]
fn the_worst_relation_of_the_group_applies_to_each_resource() {
    let name = "other/bills";
    for (worst, truth, reason) in [
        (Relation::Publishes, "True", "PreviousKeyPublished"),
        (Relation::Holds, "True", "ConsumersHoldPreviousKey"),
        (Relation::Unknown, "Unknown", "ConsumersUnknown"),
    ] {
        let status = beside(worst, "other", PICKED_UP).status;
        assert_condition(&status, truth, reason, &[name]);
        assert!(status.previous_key_safe_after.is_none());
        assert_eq!(status.consumers.unwrap().other_resources, [name]);
    }
    let status = beside(Relation::NotTraced, "other", PICKED_UP).status;
    assert_condition(&status, "Unknown", "ConsumersNotTraced", &[]);
    let status = beside(Relation::Clean, "other", PICKED_UP).status;
    assert_condition(&status, "False", "PreviousKeyUnused", &[]);
    assert!(status.consumers.unwrap().other_resources.is_empty());
}

#[test]
fn the_longest_pick_up_time_of_the_group_applies_to_each_resource() {
    let until = time("2026-01-01T13:30:00Z");
    let assessment = beside(Relation::PickingUp(until.as_second()), "other", PICKED_UP);
    assert_condition(
        &assessment.status,
        "Unknown",
        "ConsumersPickingUp",
        &["2026-01-01T13:30:00Z"],
    );
    assert_eq!(assessment.status.previous_key_safe_after.unwrap().0, until);
}

#[test]
fn a_resource_of_another_namespace_with_the_same_suffix_is_not_named() {
    let status = beside(Relation::Alike, "other", PICKED_UP).status;
    assert_condition(
        &status,
        "Unknown",
        "ConsumersUnknown",
        &["a resource of another namespace"],
    );
    let text = serde_json::to_string(&status).unwrap();
    assert!(!text.contains("bills"), "{text}");
    let status = beside(Relation::Alike, "shop", PICKED_UP).status;
    assert_condition(&status, "Unknown", "ConsumersUnknown", &["shop/bills"]);
}

#[test]
fn nothing_is_unused_before_every_resource_is_listed() {
    let mut others = Others::new(true);
    others.listed = false;
    let status = judge(&first_rotation(), &[], &others, time(PICKED_UP))
        .unwrap()
        .status;
    assert_condition(&status, "Unknown", "ConsumersUnknown", &["not listed yet"]);
}

#[test]
fn an_operator_of_some_namespaces_reports_that_it_does_not_know_the_others() {
    let others = Others::new(false);
    let status = judge(&first_rotation(), &[], &others, time(PICKED_UP))
        .unwrap()
        .status;
    let words = "namespaces that this operator does not serve";
    assert_condition(&status, "False", "PreviousKeyUnused", &[words]);
}

#[test]
fn ten_of_a_large_group_are_named_and_the_worst_is_among_them() {
    let resource = NamespacedName::new("shop", "orders");
    let mut others = Others::new(true);
    for number in 0..500 {
        let key = NamespacedName::new("shop", &format!("of-{number:03}"));
        let relation = if number == 300 {
            Relation::Publishes
        } else {
            Relation::Unknown
        };
        others.add(&key, &resource, relation);
    }
    let status = judge(&first_rotation(), &[], &others, time(PICKED_UP))
        .unwrap()
        .status;
    assert_condition(
        &status,
        "True",
        "PreviousKeyPublished",
        &["by shop/of-300;"],
    );
    let named = status.consumers.unwrap().other_resources;
    assert_eq!(named.len(), 10);
    assert!(named.contains(&"shop/of-300".to_owned()), "{named:?}");
}
