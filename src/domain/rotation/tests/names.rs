//! A renamed target: a pod that took the pair under an older name keeps it.

use crate::{
    api::{Previous, StaticAwsCredentialsStatus},
    domain::rotation::{
        OldKeyHolder, Pod, ReloadMode, holder, is_open, judge, note, restart_annotation_key,
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::{
    AFTER, BEFORE, DELIVERED, KUBELET, PUBLISHED, UID, hot,
    overlap::{alone, assert_condition, published},
    pod, publication, time,
};

const LONG_AFTER: &str = "2026-01-01T13:00:00Z";

/// A status with a pair that was published under these names, the current one first.
fn named(suffix: &str, revision: i64, names: &[&str]) -> StaticAwsCredentialsStatus {
    let mut status = published(suffix, revision);
    let target = status.published.as_mut().unwrap();
    let mut names = names.iter().map(ToString::to_string);
    target.secret_name = names.next().unwrap();
    target.former_secret_names = names.collect();
    status
}

/// The status after a rotation of a pair that was published under these names, the current one first.
fn rotated(names: &[&str]) -> StaticAwsCredentialsStatus {
    let mut after = named("BBBB", 2, &names[..1]);
    note(
        &named("AAAA", 1, names),
        &mut after,
        KUBELET,
        time(PUBLISHED),
    );
    after
}

fn previous(status: &StaticAwsCredentialsStatus) -> &Previous {
    status.previous.as_ref().unwrap()
}

fn held_by(status: &StaticAwsCredentialsStatus, pod: &Pod) -> Option<OldKeyHolder> {
    let publication = status.published.as_ref().map(publication);
    holder(
        pod,
        previous(status),
        publication,
        "orders-key-pair",
        KUBELET,
    )
}

#[test]
fn a_rotation_takes_note_of_every_name_of_the_superseded_pair() {
    let status = rotated(&["new", "orders-credentials"]);
    assert_eq!(
        previous(&status).secret_names,
        ["new", "orders-credentials"]
    );
}

/// The source held the superseded pair too.
#[test]
fn a_pod_that_uses_the_source_holds_the_pair_if_it_was_started_before_the_rotation() {
    let status = rotated(&["orders-credentials"]);
    let pod_with_source = |started: &'static str| {
        pod(move |pod| {
            pod["spec"]["volumes"][0]["secret"]["secretName"] = json!("orders-key-pair");
            pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = json!(started);
        })
    };
    let found = held_by(&status, &pod_with_source(BEFORE)).unwrap();
    assert_eq!(
        (found.reload_mode, found.former),
        (ReloadMode::NeedsRestart, None)
    );
    assert_eq!(held_by(&status, &pod_with_source(AFTER)), None);
}

#[test]
fn a_pod_under_a_former_name_holds_the_pair_whenever_it_was_started() {
    let status = rotated(&["new", "orders-credentials"]);
    for pod in [
        pod(|_| {}),
        pod(|pod| {
            pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = AFTER.into();
        }),
        hot(|_| {}),
    ] {
        let holder = held_by(&status, &pod).unwrap();
        assert_eq!(holder.reload_mode, ReloadMode::NeedsRestart);
        assert_eq!(holder.former.as_deref(), Some("orders-credentials"));
        let assessment = judge(&status, &[holder], &alone(), time(LONG_AFTER)).unwrap();
        assert_condition(
            &assessment.status,
            "True",
            "ConsumersHoldPreviousKey",
            &[
                "restart web-0",
                "make those that use Secret \"orders-credentials\"",
                "use Secret \"new\"",
            ],
        );
    }
}

#[test]
fn under_the_present_name_the_start_time_counts() {
    let status = rotated(&["orders-credentials", "old"]);
    assert!(held_by(&status, &pod(|_| {})).is_some_and(|holder| holder.former.is_none()));
    let newer = pod(|pod| {
        pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = AFTER.into();
    });
    assert_eq!(held_by(&status, &newer), None);
}

/// The start time is not enough, since a node's clock may be slow.
#[test]
fn a_pod_of_a_template_that_was_restarted_for_the_pair_does_not_hold_the_previous_one() {
    let status = rotated(&["orders-credentials", "old"]);
    let restarted_for = |value: String| {
        pod(move |pod| {
            pod["metadata"]["annotations"] = json!({ restart_annotation_key(UID): value });
            pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] =
                DELIVERED.into();
        })
    };
    let this = publication(status.published.as_ref().unwrap()).restart_annotation_value();
    assert_eq!(held_by(&status, &restarted_for(this.clone())), None);
    assert!(held_by(&status, &restarted_for("1@before".to_owned())).is_some());
    let mut renamed = status;
    let previous = renamed.previous.as_mut().unwrap();
    previous.superseded_time = Time(time(AFTER));
    assert!(held_by(&renamed, &restarted_for(this)).is_some());
}

#[test]
fn every_checked_secret_is_named_at_the_end() {
    let status = rotated(&["new", "orders-credentials"]);
    let assessment = judge(&status, &[], &alone(), time(LONG_AFTER)).unwrap();
    assert_condition(
        &assessment.status,
        "False",
        "PreviousKeyUnused",
        &["Secret \"new\" or \"orders-credentials\" holds"],
    );
}

#[test]
fn a_rename_in_between_restarts_the_pick_up_time() {
    let open = rotated(&["orders-credentials"]);
    let mut renamed = open.clone();
    renamed.published = named("BBBB", 2, &["new", "orders-credentials"]).published;
    let later = "2026-01-01T12:10:00Z";
    note(&open, &mut renamed, KUBELET, time(later));
    assert_eq!(previous(&renamed).key_id_suffix, "AAAA");
    assert_eq!(previous(&renamed).superseded_time, Time(time(later)));
    assert_eq!(
        previous(&renamed).picked_up_time,
        Time(time("2026-01-01T12:31:00Z"))
    );
    assert!(
        held_by(&renamed, &pod(|_| {})).is_some(),
        "the old name is still checked"
    );
}

#[test]
fn a_rename_without_a_superseded_pair_begins_nothing() {
    let mut renamed = named("AAAA", 1, &["new", "orders-credentials"]);
    note(
        &named("AAAA", 1, &["orders-credentials"]),
        &mut renamed,
        KUBELET,
        time(PUBLISHED),
    );
    assert!(renamed.previous.is_none());
}

#[test]
fn a_third_key_keeps_the_names_of_the_first_while_that_may_be_held() {
    let open = rotated(&["second", "first"]);
    let mut third = open.clone();
    third.published = named("CCCC", 3, &["third"]).published;
    note(&open, &mut third, KUBELET, time(PUBLISHED));
    assert_eq!(previous(&third).secret_names, ["second", "first"]);
    let settled = judge(&open, &[], &alone(), time(LONG_AFTER))
        .unwrap()
        .status;
    let mut third = settled.clone();
    third.published = named("CCCC", 3, &["third"]).published;
    note(&settled, &mut third, KUBELET, time(LONG_AFTER));
    assert_eq!(previous(&third).secret_names, ["second"]);
}

#[test]
fn more_names_than_are_followed_are_never_called_unused() {
    let names = ["h", "g", "f", "e", "d", "c", "b", "a"];
    let status = rotated(&names);
    assert_eq!(previous(&status).secret_names, names);
    let assessment = judge(&status, &[], &alone(), time(LONG_AFTER)).unwrap();
    assert_condition(
        &assessment.status,
        "Unknown",
        "ConsumersNotTraced",
        &["older names or keys"],
    );
    assert_eq!(assessment.again, None);
    assert!(
        is_open(&assessment.status).is_none(),
        "no pod is checked any more"
    );
    assert!(assessment.status.previous_key_safe_after.is_none());
}
