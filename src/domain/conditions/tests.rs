//! Transitions of conditions from one reconcile to the next.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use crate::{
    api::{ConditionType, Reason},
    domain::{
        conditions::{self, ConditionSet, ConditionStatus, Readiness},
        verdict::Finding,
    },
};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use proptest::prelude::*;
use strum::VariantArray;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn finding(reason: Reason) -> Finding {
    Finding::new(reason, format!("because of {}", reason.as_str()))
}

fn report(
    verified: ConditionStatus,
    published: ConditionStatus,
    summary: Readiness,
) -> ConditionSet {
    ConditionSet {
        verified: (verified, finding(Reason::IdentityVerified)),
        published: (published, finding(Reason::Published)),
        summary,
    }
}

fn ready() -> ConditionSet {
    report(
        ConditionStatus::True,
        ConditionStatus::True,
        Readiness::Ready(finding(Reason::Published)),
    )
}

fn stalled() -> ConditionSet {
    report(
        ConditionStatus::False,
        ConditionStatus::True,
        Readiness::Stalled(finding(Reason::PinMismatch)),
    )
}

fn reconciling() -> ConditionSet {
    report(
        ConditionStatus::Unknown,
        ConditionStatus::True,
        Readiness::Reconciling(finding(Reason::Settling)),
    )
}

fn types(conditions: &[Condition]) -> Vec<&str> {
    conditions
        .iter()
        .map(|condition| condition.type_.as_str())
        .collect()
}

fn find(conditions: &[Condition], kind: ConditionType) -> Condition {
    conditions::find(conditions, kind).unwrap().clone()
}

#[test]
fn each_summary_has_its_conditions() {
    let now = at(1);
    let base = ["Ready", "Verified", "Published"];
    assert_eq!(types(&ready().conditions(&[], now)), base);
    let with = |further| [&base[..], &[further]].concat();
    assert_eq!(types(&stalled().conditions(&[], now)), with("Stalled"));
    assert_eq!(
        types(&reconciling().conditions(&[], now)),
        with("Reconciling")
    );
}

#[test]
fn a_further_condition_repeats_what_ready_says() {
    let conditions = stalled().conditions(&[], at(1));
    let ready = find(&conditions, ConditionType::Ready);
    let stalled = find(&conditions, ConditionType::Stalled);
    assert_eq!(
        (ready.status.as_str(), stalled.status.as_str()),
        ("False", "True")
    );
    assert_eq!(
        (ready.reason, ready.message),
        (stalled.reason, stalled.message)
    );
}

#[test]
fn a_transition_time_moves_with_the_status_and_not_with_reason_or_message() {
    let first = ready().conditions(&[], at(1));
    let mut other_words = ready();
    other_words.verified.1 = Finding::new(Reason::FormatOnly, "other words");
    let second = other_words.conditions(&first, at(2));
    let verified = find(&second, ConditionType::Verified);
    assert_eq!(verified.reason, "FormatOnly");
    assert_eq!(verified.last_transition_time, Time(at(1)));
    let third = stalled().conditions(&second, at(3));
    assert_eq!(
        find(&third, ConditionType::Verified).last_transition_time,
        Time(at(3))
    );
    assert_eq!(
        find(&third, ConditionType::Published).last_transition_time,
        Time(at(1))
    );
}

#[test]
fn conditions_carry_no_generation_of_their_own() {
    for condition in stalled().conditions(&[], at(1)) {
        assert_eq!(condition.observed_generation, None);
    }
}

#[test]
fn suspended_keeps_what_ready_says_and_awaits_nothing() {
    let cases = [
        (ready(), "True"),
        (stalled(), "False"),
        (reconciling(), "False"),
    ];
    for (report, status) in cases {
        let before = report.conditions(&[], at(1));
        let after = conditions::suspended(&before, at(2));
        let ready = find(&after, ConditionType::Ready);
        assert_eq!(
            (ready.status.as_str(), ready.reason.as_str()),
            (status, "Suspended")
        );
        assert_eq!(ready.last_transition_time, Time(at(1)));
        assert!(conditions::find(&after, ConditionType::Reconciling).is_none());
        for kind in [
            ConditionType::Verified,
            ConditionType::Published,
            ConditionType::Stalled,
        ] {
            assert_eq!(
                conditions::find(&after, kind),
                conditions::find(&before, kind)
            );
        }
    }
}

#[test]
fn suspended_before_the_first_run_is_neither_ready_nor_not() {
    let after = conditions::suspended(&[], at(2));
    assert_eq!(find(&after, ConditionType::Ready).status, "Unknown");
    assert_eq!(types(&after), ["Ready"]);
}

#[test]
fn a_decision_keeps_the_conditions_of_a_rotation() {
    let kind = ConditionType::PreviousKeyInUse;
    let held = finding(Reason::ConsumersHoldPreviousKey);
    let held = conditions::condition(&[], kind, ConditionStatus::True, &held, at(1));
    let mut before = stalled().conditions(&[], at(1));
    before.push(held.clone());
    for report in [ready(), stalled(), reconciling()] {
        assert_eq!(find(&report.conditions(&before, at(2)), kind), held);
    }
    let unusable = conditions::unusable(&before, &finding(Reason::SpecInvalid), at(2));
    let expected = ["Ready", "Verified", "Published", kind.as_str(), "Stalled"];
    assert_eq!(types(&unusable), expected);
    assert_eq!(find(&unusable, kind), held);
}

#[test]
fn suspended_twice_changes_nothing() {
    let once = conditions::suspended(&stalled().conditions(&[], at(1)), at(2));
    assert_eq!(conditions::suspended(&once, at(3)), once);
}

#[test]
fn every_reason_parses_back_and_is_a_word_that_a_condition_may_carry() {
    let mut words = BTreeSet::new();
    for reason in Reason::VARIANTS {
        let word = reason.as_str();
        assert_eq!(Reason::parse(word), Some(*reason));
        assert!(
            word.starts_with(|first: char| first.is_ascii_uppercase()),
            "{word}"
        );
        assert!(
            word.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{word}"
        );
        assert!(words.insert(word), "{word} occurs twice");
    }
    assert_eq!(Reason::parse("published"), None);
    assert_eq!(Reason::parse(""), None);
}

#[test]
fn a_doubt_condemns_nothing() {
    for reason in Reason::VARIANTS {
        assert!(
            !(reason.is_undetermined() && reason.is_terminal_for_source()),
            "{reason:?}"
        );
    }
    for reason in [
        Reason::Published,
        Reason::SourceNotFound,
        Reason::Settling,
        Reason::TargetConflict,
    ] {
        assert!(
            !reason.is_terminal_for_source() && !reason.is_undetermined(),
            "{reason:?}"
        );
    }
    for reason in [
        Reason::SignatureMismatch,
        Reason::AccessKeyUnknown,
        Reason::TrailingNewline,
        Reason::PinMismatch,
    ] {
        assert!(reason.is_terminal_for_source(), "{reason:?}");
    }
}

fn truths() -> impl Strategy<Value = ConditionStatus> {
    prop_oneof![
        Just(ConditionStatus::True),
        Just(ConditionStatus::False),
        Just(ConditionStatus::Unknown)
    ]
}

fn reports() -> impl Strategy<Value = ConditionSet> {
    let summaries = prop_oneof![
        Just(Readiness::Ready(finding(Reason::Published))),
        Just(Readiness::Reconciling(finding(Reason::Settling))),
        Just(Readiness::Stalled(finding(Reason::PinMismatch))),
    ];
    (truths(), truths(), summaries)
        .prop_map(|(verified, published, summary)| report(verified, published, summary))
}

proptest! {
    #[test]
    fn whatever_is_reported_a_transition_time_is_that_of_the_last_change(reports in proptest::collection::vec(reports(), 1..12)) {
        let mut conditions: Vec<Condition> = Vec::new();
        for (second, report) in (1..).zip(reports) {
            let before = conditions.clone();
            conditions = report.conditions(&before, at(second));
            for condition in &conditions {
                let old = before.iter().find(|old| old.type_ == condition.type_);
                let expected = match old {
                    Some(old) if old.status == condition.status => old.last_transition_time.clone(),
                    _ => Time(at(second)),
                };
                prop_assert_eq!(&condition.last_transition_time, &expected);
            }
            let summaries = ConditionType::VARIANTS.iter().filter(|kind| kind.is_summary());
            let holding = summaries.filter(|kind| conditions::is_true(&conditions, **kind));
            prop_assert_eq!(holding.count(), 1);
            prop_assert_eq!(report.conditions(&conditions, at(second + 100)), conditions.clone());
        }
    }
}

#[test]
fn a_message_however_long_fits_into_a_status() {
    let finding = Finding::new(Reason::TargetConflict, "é".repeat(100_000));
    let kind = ConditionType::Ready;
    let condition = conditions::condition(
        &[],
        kind,
        ConditionStatus::False,
        &finding,
        Timestamp::UNIX_EPOCH,
    );
    assert!(condition.message.len() <= conditions::LONGEST_MESSAGE);
    assert!(condition.message.ends_with("é..."));
}
