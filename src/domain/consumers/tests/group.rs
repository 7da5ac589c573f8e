//! Resources that publish the same pair: the worst state applies to each of them.

use crate::{
    api::{Published, StaticAwsCredentialsStatus},
    domain::{
        consumers::{
            Assessment, Key, Keys, OldKeyHolder, Others, Own, ReloadMode, Standing, judge, note,
            superseded,
        },
        index::NamespacedName,
    },
};

use super::{
    KUBELET, PUBLISHED,
    overlap::{assert_says, published},
    time,
};

const CLOCK_RUNS: &str = "2026-01-01T12:11:00Z";
const CLOCK_HAS_RUN_OUT: &str = "2026-01-01T13:00:00Z";
const CLEAN: Option<Own> = Some(Own::Clean { settled: true });

fn edited(
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
fn standing(other: &StaticAwsCredentialsStatus, own: Option<Own>, now: &str) -> Option<Standing> {
    Keys::of(other).standing(&keys(&first_rotation()), own, time(now))
}

/// Assessment of a resource without pods, beside another resource that has the key.
fn beside(standing: Standing, namespace: &str, now: &str) -> Assessment {
    let mut others = Others::new(true);
    let of = NamespacedName::new("shop", "orders");
    others.add(&NamespacedName::new(namespace, "bills"), &of, standing);
    judge(&first_rotation(), &[], &others, time(now)).unwrap()
}

#[test]
fn who_publishes_the_key_is_known_by_its_digest() {
    let now = CLOCK_HAS_RUN_OUT;
    assert_eq!(
        standing(&published("AAAA", 7), None, now),
        Some(Standing::Publishes)
    );
    assert_eq!(
        standing(&published("BBBB", 7), None, now),
        None,
        "another key"
    );
    let other = edited(published("AAAA", 1), |one| {
        one.key_digest = Some("1".repeat(32));
    });
    assert_eq!(
        standing(&other, None, now),
        None,
        "another key that ends alike"
    );
    assert_eq!(
        standing(&StaticAwsCredentialsStatus::default(), None, now),
        None
    );
}

#[test]
fn without_a_digest_a_likeness_is_told_of_and_nothing_else() {
    let old = edited(published("AAAA", 1), |one| one.key_digest = None);
    assert_eq!(
        standing(&old, None, CLOCK_HAS_RUN_OUT),
        Some(Standing::Alike)
    );
    let old = edited(published("CCCC", 1), |one| one.key_digest = None);
    assert_eq!(standing(&old, None, CLOCK_HAS_RUN_OUT), None);
}

#[test]
fn who_superseded_the_key_too_counts_as_its_own_pods_do() {
    let other = first_rotation();
    let until = other
        .previous
        .as_ref()
        .unwrap()
        .picked_up_time
        .0
        .as_second();
    for (own, now, wanted) in [
        (None, CLOCK_RUNS, Standing::PickingUp(until)),
        (None, CLOCK_HAS_RUN_OUT, Standing::Unknown),
        (Some(Own::Held), CLOCK_RUNS, Standing::Holds),
        (Some(Own::Unsure), CLOCK_HAS_RUN_OUT, Standing::Unknown),
        (
            Some(Own::Clean { settled: false }),
            CLOCK_RUNS,
            Standing::PickingUp(until),
        ),
        (
            Some(Own::Clean { settled: false }),
            CLOCK_HAS_RUN_OUT,
            Standing::Unknown,
        ),
        (CLEAN, CLOCK_HAS_RUN_OUT, Standing::Clean),
    ] {
        assert_eq!(standing(&other, own, now), Some(wanted), "{own:?} {now}");
    }
}

#[test]
fn after_a_restart_the_status_still_tells_of_pods_that_hold_the_key() {
    let holder = OldKeyHolder {
        name: "web-0".to_owned(),
        pickup: ReloadMode::NeedsRestart,
        former: None,
    };
    let now = time(CLOCK_HAS_RUN_OUT);
    let held = judge(&first_rotation(), &[holder], &Others::new(true), now)
        .unwrap()
        .status;
    assert_eq!(
        standing(&held, None, CLOCK_HAS_RUN_OUT),
        Some(Standing::Holds)
    );
    assert_eq!(
        standing(&held, CLEAN, CLOCK_HAS_RUN_OUT),
        Some(Standing::Clean)
    );
}

#[test]
fn who_is_done_with_the_key_has_no_part_in_it() {
    let done = judge(
        &first_rotation(),
        &[],
        &Others::new(true),
        time(CLOCK_HAS_RUN_OUT),
    )
    .unwrap();
    assert_eq!(standing(&done.status, None, CLOCK_HAS_RUN_OUT), None);
}

#[test]
fn a_key_before_the_last_one_is_followed_while_it_may_be_held() {
    let third = rotated(&first_rotation(), "CCCC", 3);
    let older = &third.previous.as_ref().unwrap().older_keys;
    assert_eq!(older.len(), 1);
    assert_eq!(older[0].key_id_suffix, "AAAA");
    assert_eq!(
        standing(&third, Some(Own::Held), CLOCK_RUNS),
        Some(Standing::Holds)
    );
    let publishes = Keys::of(&published("AAAA", 1));
    let standing = publishes.standing(&keys(&third), None, time(CLOCK_RUNS));
    assert_eq!(standing, Some(Standing::Publishes));
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
    let outlook = judge(&status, &[], &Others::new(true), time(CLOCK_HAS_RUN_OUT)).unwrap();
    assert_says(&outlook.status, "Unknown", "ConsumersNotTraced", &[]);
    assert_eq!(outlook.again, None);
}

#[test]
fn the_worst_of_the_group_is_said_of_each() {
    let name = "other/bills";
    for (worst, truth, reason) in [
        (Standing::Publishes, "True", "PreviousKeyPublished"),
        (Standing::Holds, "True", "ConsumersHoldPreviousKey"),
        (Standing::Unknown, "Unknown", "ConsumersUnknown"),
    ] {
        let status = beside(worst, "other", CLOCK_HAS_RUN_OUT).status;
        assert_says(&status, truth, reason, &[name]);
        assert!(status.previous_key_safe_after.is_none());
        assert_eq!(status.consumers.unwrap().other_resources, [name]);
    }
    let status = beside(Standing::NotTraced, "other", CLOCK_HAS_RUN_OUT).status;
    assert_says(&status, "Unknown", "ConsumersNotTraced", &[]);
    let status = beside(Standing::Clean, "other", CLOCK_HAS_RUN_OUT).status;
    assert_says(&status, "False", "PreviousKeyUnused", &[]);
    assert!(status.consumers.unwrap().other_resources.is_empty());
}

#[test]
fn the_longest_clock_of_the_group_runs_for_each() {
    let until = time("2026-01-01T13:30:00Z");
    let outlook = beside(
        Standing::PickingUp(until.as_second()),
        "other",
        CLOCK_HAS_RUN_OUT,
    );
    assert_says(
        &outlook.status,
        "Unknown",
        "ConsumersPickingUp",
        &["2026-01-01T13:30:00Z"],
    );
    assert_eq!(outlook.status.previous_key_safe_after.unwrap().0, until);
}

#[test]
fn a_stranger_whose_key_ends_alike_is_not_named() {
    let status = beside(Standing::Alike, "other", CLOCK_HAS_RUN_OUT).status;
    assert_says(
        &status,
        "Unknown",
        "ConsumersUnknown",
        &["a resource of another namespace"],
    );
    let text = serde_json::to_string(&status).unwrap();
    assert!(!text.contains("bills"), "{text}");
    let status = beside(Standing::Alike, "shop", CLOCK_HAS_RUN_OUT).status;
    assert_says(&status, "Unknown", "ConsumersUnknown", &["shop/bills"]);
}

#[test]
fn nothing_is_unused_before_every_resource_is_listed() {
    let mut others = Others::new(true);
    others.listed = false;
    let status = judge(&first_rotation(), &[], &others, time(CLOCK_HAS_RUN_OUT))
        .unwrap()
        .status;
    assert_says(&status, "Unknown", "ConsumersUnknown", &["not listed yet"]);
}

#[test]
fn an_operator_of_some_namespaces_says_that_it_does_not_know_the_others() {
    let others = Others::new(false);
    let status = judge(&first_rotation(), &[], &others, time(CLOCK_HAS_RUN_OUT))
        .unwrap()
        .status;
    let words = "namespaces that this operator does not serve";
    assert_says(&status, "False", "PreviousKeyUnused", &[words]);
}

#[test]
fn ten_of_a_large_group_are_named_and_the_worst_is_among_them() {
    let of = NamespacedName::new("shop", "orders");
    let mut others = Others::new(true);
    for number in 0..500 {
        let key = NamespacedName::new("shop", &format!("of-{number:03}"));
        let standing = if number == 300 {
            Standing::Publishes
        } else {
            Standing::Unknown
        };
        others.add(&key, &of, standing);
    }
    let status = judge(&first_rotation(), &[], &others, time(CLOCK_HAS_RUN_OUT))
        .unwrap()
        .status;
    assert_says(
        &status,
        "True",
        "PreviousKeyPublished",
        &["by shop/of-300;"],
    );
    let named = status.consumers.unwrap().other_resources;
    assert_eq!(named.len(), 10);
    assert!(named.contains(&"shop/of-300".to_owned()), "{named:?}");
}
