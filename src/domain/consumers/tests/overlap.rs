use std::time::Duration;

use crate::{
    api::{Published, StaticAwsCredentialsStatus},
    domain::consumers::{
        Assessment, OldKeyHolder, Others, Recheck, ReloadMode, is_open, judge, note, propagated_at,
        unlisted,
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{KUBELET, PUBLISHED, time};

/// 12:00:00 plus 90 s, 18 min and 60 s, rounded up to the minute.
const PICKED_UP: &str = "2026-01-01T12:21:00Z";

pub fn published(suffix: &str, revision: i64) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        published: Some(Published {
            secret_name: "orders-credentials".to_owned(),
            uid: "uid".to_owned(),
            resource_version: "1".to_owned(),
            key_id_suffix: suffix.to_owned(),
            key_digest: Some(format!("{suffix}{suffix}").to_lowercase().repeat(4)),
            former_secret_names: Vec::new(),
            revision,
            time: Time(time(PUBLISHED)),
            content_digest: None,
            labels_digest: None,
            credential_process_ttl_seconds: Some(1080),
        }),
        ..StaticAwsCredentialsStatus::default()
    }
}

/// No other resource has the key.
pub fn alone() -> Others {
    Others::new(true)
}

/// The status after a rotation from a key with the suffix AAAA to one with the suffix BBBB.
fn rotated() -> StaticAwsCredentialsStatus {
    let mut after = published("BBBB", 2);
    note(&published("AAAA", 1), &mut after, KUBELET, time(PUBLISHED));
    after
}

fn holders(all: &[(&str, ReloadMode)]) -> Vec<OldKeyHolder> {
    let holder = |(name, pickup): &(&str, ReloadMode)| OldKeyHolder {
        name: (*name).to_owned(),
        pickup: *pickup,
        former: None,
    };
    all.iter().map(holder).collect()
}

fn at(all: &[(&str, ReloadMode)], now: &str) -> Assessment {
    judge(&rotated(), &holders(all), &alone(), time(now)).unwrap()
}

/// Status, reason and message of `PreviousKeyInUse`.
fn said(status: &StaticAwsCredentialsStatus) -> (String, String, String) {
    let mut conditions = status.conditions.iter();
    let one = conditions
        .find(|one| one.type_ == "PreviousKeyInUse")
        .unwrap();
    (one.status.clone(), one.reason.clone(), one.message.clone())
}

pub fn assert_says(status: &StaticAwsCredentialsStatus, truth: &str, reason: &str, words: &[&str]) {
    let (status, why, message) = said(status);
    assert_eq!(
        (status.as_str(), why.as_str()),
        (truth, reason),
        "{message}"
    );
    for word in words {
        assert!(message.contains(word), "{message} lacks {word}");
    }
}

#[test]
fn a_new_pair_supersedes_the_one_before() {
    let status = rotated();
    let previous = status.previous.as_ref().unwrap();
    assert_eq!(previous.key_id_suffix, "AAAA");
    assert_eq!(previous.superseded_time.0, time(PUBLISHED));
    assert_eq!(previous.picked_up_time.0, time(PICKED_UP));
    assert!(status.previous_key_safe_after.is_none() && status.consumers.is_none());
    assert_says(
        &status,
        "Unknown",
        "ConsumersPickingUp",
        &["ends in AAAA", "2026-01-01T12:01:30Z"],
    );
}

#[test]
fn the_longer_of_two_times_to_live_counts() {
    for (before, after, end) in [
        (Some(1080), Some(3600), "2026-01-01T13:03:00Z"),
        (Some(3600), Some(1080), "2026-01-01T13:03:00Z"),
        (None, Some(960), "2026-01-01T12:19:00Z"),
        (None, None, "2026-01-01T12:03:00Z"),
    ] {
        let with = |suffix, revision, ttl| {
            let mut status = published(suffix, revision);
            status
                .published
                .as_mut()
                .unwrap()
                .credential_process_ttl_seconds = ttl;
            status
        };
        let mut status = with("BBBB", 2, after);
        note(
            &with("AAAA", 1, before),
            &mut status,
            KUBELET,
            time(PUBLISHED),
        );
        assert_eq!(status.previous.unwrap().picked_up_time.0, time(end));
    }
}

#[test]
fn nothing_else_supersedes_anything() {
    let first = StaticAwsCredentialsStatus::default();
    let mut after = published("AAAA", 1);
    note(&first, &mut after, KUBELET, time(PUBLISHED));
    assert!(after.previous.is_none(), "the first pair");
    let mut after = published("AAAA", 1);
    note(&published("AAAA", 1), &mut after, KUBELET, time(PUBLISHED));
    assert!(after.previous.is_none(), "another layout");
    let mut after = published("AAAA", 2);
    note(&published("AAAA", 1), &mut after, KUBELET, time(PUBLISHED));
    assert!(
        after.previous.is_none(),
        "a revision that rose without a new key"
    );
    assert!(is_open(&after).is_none());
}

#[test]
fn whoever_needs_a_restart_is_named_and_no_time_is_given() {
    use ReloadMode::{NeedsRestart, Reloads};
    let outlook = at(
        &[
            ("web-1", NeedsRestart),
            ("api-0", Reloads),
            ("web-0", NeedsRestart),
        ],
        "2026-01-01T13:00:00Z",
    );
    let status = &outlook.status;
    assert_says(
        status,
        "True",
        "ConsumersHoldPreviousKey",
        &["restart web-0, web-1"],
    );
    assert!(status.previous_key_safe_after.is_none());
    let consumers = status.consumers.as_ref().unwrap();
    assert_eq!(
        (consumers.hot.count, consumers.restart_needed.count),
        (1, 2)
    );
    assert_eq!(consumers.restart_needed.names, ["web-0", "web-1"]);
    assert_eq!(outlook.again, Some(Recheck::Later));
}

#[test]
fn ten_are_named_and_the_others_counted() {
    let names: Vec<String> = (0..25).map(|at| format!("web-{at:02}")).collect();
    let all: Vec<(&str, ReloadMode)> = names
        .iter()
        .map(|name| (name.as_str(), ReloadMode::NeedsRestart))
        .collect();
    let status = at(&all, PICKED_UP).status;
    let group = &status.consumers.as_ref().unwrap().restart_needed;
    assert_eq!((group.count, group.names.len()), (25, 10));
    assert_says(
        &status,
        "True",
        "ConsumersHoldPreviousKey",
        &["web-09 and 15 more"],
    );
}

#[test]
fn whoever_cannot_be_asked_keeps_the_end_open() {
    let status = at(&[("web-0", ReloadMode::Unknown)], "2026-01-01T13:00:00Z").status;
    assert_says(&status, "Unknown", "ConsumersUnknown", &["look at web-0"]);
    assert!(status.previous_key_safe_after.is_none());
}

#[test]
fn the_clock_runs_while_all_are_hot() {
    let outlook = at(&[("web-0", ReloadMode::Reloads)], "2026-01-01T12:11:00Z");
    let status = &outlook.status;
    assert_says(status, "Unknown", "ConsumersPickingUp", &[PICKED_UP]);
    assert_eq!(status.previous_key_safe_after, Some(Time(time(PICKED_UP))));
    assert_eq!(outlook.again, Some(Recheck::In(Duration::from_secs(601))));
}

#[test]
fn once_it_has_run_out_the_key_may_go() {
    for all in [&[("web-0", ReloadMode::Reloads)][..], &[]] {
        let outlook = at(all, PICKED_UP);
        assert_says(
            &outlook.status,
            "False",
            "PreviousKeyUnused",
            &[
                "that uses Secret \"orders-credentials\"",
                "no other resource publishes it",
                "not looked at: PersistentVolumes",
                "nodes with a wrong clock, other clusters; see",
                "deactivate",
            ],
        );
        assert_eq!(
            outlook.status.previous_key_safe_after,
            Some(Time(time(PICKED_UP)))
        );
        assert_eq!(outlook.again, None);
        assert!(
            is_open(&outlook.status).is_none(),
            "nobody is asked any more"
        );
        assert_eq!(judge(&outlook.status, &[], &alone(), time(PICKED_UP)), None);
    }
}

#[test]
fn a_third_key_starts_the_clock_anew_for_all_before_it() {
    let open = at(
        &[("web-0", ReloadMode::NeedsRestart)],
        "2026-01-01T12:05:00Z",
    )
    .status;
    let mut third = open.clone();
    let next = third.published.as_mut().unwrap();
    (next.key_id_suffix, next.revision) = ("CCCC".to_owned(), 3);
    next.time = Time(time("2026-01-01T12:06:00Z"));
    note(&open, &mut third, KUBELET, time("2026-01-01T12:06:00Z"));
    let previous = third.previous.as_ref().unwrap();
    assert_eq!(previous.key_id_suffix, "BBBB");
    assert_eq!(previous.picked_up_time.0, time("2026-01-01T12:27:00Z"));
    assert!(third.consumers.is_none());
    assert_says(&third, "Unknown", "ConsumersPickingUp", &["BBBB"]);
}

#[test]
fn a_rotation_back_makes_the_newer_key_the_previous_one() {
    let settled = at(&[], PICKED_UP).status;
    let mut back = settled.clone();
    let next = back.published.as_mut().unwrap();
    (next.key_id_suffix, next.revision) = ("AAAA".to_owned(), 3);
    note(&settled, &mut back, KUBELET, time(PICKED_UP));
    assert_eq!(back.previous.as_ref().unwrap().key_id_suffix, "BBBB");
    assert!(is_open(&back).is_some());
    assert!(back.previous_key_safe_after.is_none());
}

#[test]
fn a_withdrawal_keeps_what_is_open_of_an_older_key() {
    let open = at(
        &[("web-0", ReloadMode::NeedsRestart)],
        "2026-01-01T12:05:00Z",
    )
    .status;
    let mut gone = open.clone();
    gone.published = None;
    note(&open, &mut gone, KUBELET, time("2026-01-01T12:06:00Z"));
    assert_eq!(gone.previous, open.previous);
    assert_says(&gone, "True", "ConsumersHoldPreviousKey", &["web-0"]);
    let outlook = judge(&gone, &[], &alone(), time(PICKED_UP)).unwrap();
    assert_says(
        &outlook.status,
        "False",
        "PreviousKeyUnused",
        &["uses Secret \"orders-credentials\" holds"],
    );
}

#[test]
fn what_is_published_after_a_withdrawal_starts_the_clock_anew_for_an_older_key() {
    let mut gone = rotated();
    gone.published = None;
    let mut again = published("CCCC", 1);
    again.previous.clone_from(&gone.previous);
    again.conditions.clone_from(&gone.conditions);
    let now = "2026-01-01T12:30:00Z";
    again.published.as_mut().unwrap().time = Time(time(now));
    note(&gone, &mut again, KUBELET, time(now));
    let previous = again.previous.as_ref().unwrap();
    assert_eq!(previous.key_id_suffix, "AAAA");
    assert_eq!(previous.superseded_time, Time(time(now)));
    assert_eq!(previous.picked_up_time, Time(time("2026-01-01T12:51:00Z")));
}

#[test]
fn what_is_withdrawn_when_nothing_is_open_has_no_consumers() {
    let settled = at(&[], PICKED_UP).status;
    let mut gone = settled.clone();
    gone.published = None;
    note(&settled, &mut gone, KUBELET, time(PICKED_UP));
    assert!(gone.previous.is_none() && gone.conditions.is_empty());
}

#[test]
fn without_the_right_to_list_pods_it_says_so() {
    let status = unlisted(&rotated(), time(PICKED_UP)).unwrap().status;
    assert_says(
        &status,
        "Unknown",
        "ConsumersNotListed",
        &["rotation.consumers.enabled"],
    );
    assert!(status.previous_key_safe_after.is_none());
}

#[test]
fn a_condition_keeps_the_time_of_its_last_transition() {
    let first = at(
        &[("web-0", ReloadMode::NeedsRestart)],
        "2026-01-01T12:05:00Z",
    )
    .status;
    let holders = holders(&[("web-1", ReloadMode::NeedsRestart)]);
    let second = judge(&first, &holders, &alone(), time("2026-01-01T12:06:00Z"))
        .unwrap()
        .status;
    let times =
        |status: &StaticAwsCredentialsStatus| status.conditions[0].last_transition_time.clone();
    assert_eq!(times(&first), times(&second));
    assert_eq!(second.conditions.len(), 1);
}

#[test]
fn a_pair_is_delivered_and_picked_up_later_where_the_kubelet_is_slower() {
    let pair = published("AAAA", 1).published.unwrap();
    assert_eq!(propagated_at(&pair, KUBELET), time(super::DELIVERED));
    let slow = Duration::from_mins(5);
    assert_eq!(propagated_at(&pair, slow), time("2026-01-01T12:05:00Z"));
    let mut after = published("BBBB", 2);
    note(&published("AAAA", 1), &mut after, slow, time(PUBLISHED));
    let previous = after.previous.as_ref().unwrap();
    assert_eq!(previous.picked_up_time.0, time("2026-01-01T12:24:00Z"));
    assert!(said(&after).2.contains("2026-01-01T12:05:00Z"));
}
