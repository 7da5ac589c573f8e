//! The alert of each reason: every state that needs a person raises an alert.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use serde_json::json;
use static_aws_credentials::{
    api::{ConditionType, Reason, ReasonClass, StaticAwsCredentialsStatus},
    ops::metrics::Summary,
};
use strum::VariantArray as _;

use super::alerts::judged;

/// The alert that fires while a reason lasts, and a condition and its status with that reason.
type Alert = (&'static str, ConditionType, &'static str);

const NOT_READY: Option<Alert> = Some(("NotReady", ConditionType::Ready, "False"));
const REJECTED: Option<Alert> = Some(("Rejected", ConditionType::Verified, "False"));
const NO_VERDICT: Option<Alert> = Some(("StsUnreachable", ConditionType::Verified, "Unknown"));
const NOT_WRITTEN: Option<Alert> = Some(("NotWritten", ConditionType::Published, "False"));
const HELD: Option<Alert> = Some(("PreviousKeyHeld", ConditionType::PreviousKeyInUse, "True"));
const RESTARTS: Option<Alert> = Some(("RestartsHeld", ConditionType::ConsumersRestarted, "False"));

/// Reasons with another alert than that of their class, or with none, and the explanation.
const EXCEPTIONS: [(Reason, Option<Alert>, &str); 13] = [
    (
        Reason::Pending,
        Some(("NotReady", ConditionType::Ready, "Unknown")),
        "Ready has no other status before the first reconcile",
    ),
    (
        Reason::ServingLastKnownGood,
        Some(("ServingLastKnownGood", ConditionType::Published, "True")),
        "the target exists, and pods work with it",
    ),
    (
        Reason::NotPublished,
        None,
        "the reason of Ready says why, and has an alert",
    ),
    (Reason::Suspended, None, "a person wanted it"),
    (
        Reason::RejectionUnconfirmed,
        None,
        "lasts a minute, and becomes another reason",
    ),
    (
        Reason::MassRejection,
        None,
        "its own counter raises MassRejection",
    ),
    (
        Reason::RegionDisabled,
        NOT_READY,
        "STS answers; the account has to enable the region",
    ),
    (
        Reason::OptInRequired,
        NOT_READY,
        "STS answers; the account has to enable the region",
    ),
    (
        Reason::Withdrawn,
        REJECTED,
        "nothing blocks the write; the rejected pair has to be replaced",
    ),
    (
        Reason::LeftoverRemains,
        None,
        "of an event; it is tried again, and no pair is missing",
    ),
    (
        Reason::ConsumersNotListed,
        None,
        "the release does not list pods, which is a choice",
    ),
    (
        Reason::ConsumersNotTraced,
        None,
        "of keys from before an upgrade, and lasts for good",
    ),
    (
        Reason::Undecodable,
        None,
        "its own counter raises Undecodable",
    ),
];

fn of_class(class: ReasonClass) -> Option<Alert> {
    match class {
        // All is well, or becomes so without a person.
        ReasonClass::Good | ReasonClass::RotationProgressing => None,
        ReasonClass::Waiting | ReasonClass::ClassUnusable | ReasonClass::SpecUnused => NOT_READY,
        ReasonClass::SourceInvalid | ReasonClass::Refused => REJECTED,
        ReasonClass::Undetermined => NO_VERDICT,
        ReasonClass::TargetBlocked => NOT_WRITTEN,
        ReasonClass::PreviousKeyHeld => HELD,
        ReasonClass::RestartsBlocked => RESTARTS,
    }
}

fn alert(reason: Reason) -> Option<Alert> {
    let exception = EXCEPTIONS.iter().find(|(of, ..)| *of == reason);
    exception.map_or_else(|| of_class(reason.class()), |(_, alert, _)| *alert)
}

#[test]
fn an_exception_differs_from_its_class_and_says_why() {
    for (at, (reason, alert, why)) in EXCEPTIONS.iter().enumerate() {
        assert!(*alert != of_class(reason.class()), "{reason:?} is none");
        assert!(!why.is_empty(), "{reason:?}");
        let twice = EXCEPTIONS[..at].iter().any(|(of, ..)| of == reason);
        assert!(!twice, "{reason:?} occurs twice");
    }
}

/// The series that the operator serves for a condition, and no others: an alert on a series that is never served
/// would never fire.
fn series(kind: ConditionType, status: &str, reason: Reason) -> Result<String> {
    let condition = json!({ "type": kind.as_str(), "status": status, "reason": reason.as_str(),
        "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    let status: StaticAwsCredentialsStatus =
        serde_json::from_value(json!({ "conditions": [condition] }))?;
    let summary = Summary::of(&status);
    let conditions = summary.conditions().map(|it| ("condition", "status", it));
    let reasons = summary.reasons().map(|it| ("reason", "reason", it));
    let mut text = String::new();
    for (metric, label, (kind, value)) in conditions.chain(reasons) {
        writeln!(
            text,
            "  - {{series: 'staticawscredentials_status_{metric}{{namespace=\"a\",name=\"b\",type=\"{kind}\",{label}=\"{value}\"}}', values: '1x180'}}"
        )?;
    }
    Ok(text)
}

#[test]
fn every_reason_raises_an_alert_or_says_why_not() -> Result<()> {
    let mut tests = String::from("rule_files: [rules.yaml]\nevaluation_interval: 1h\ntests:\n");
    for reason in Reason::VARIANTS {
        let Some((name, kind, status)) = alert(*reason) else {
            continue;
        };
        write!(
            tests,
            "- name: {}\n  interval: 1h\n  input_series:\n{}  \
             promql_expr_test:\n  - expr: sum(ALERTS{{alertstate=\"firing\",alertname=\"StaticAwsCredentials{name}\"}})\n    \
             eval_time: 7d1h\n    exp_samples: [{{value: 1}}]\n",
            reason.as_str(),
            series(kind, status, *reason)?,
        )?;
    }
    judged(&tests)?;
    // Counter-check: a wrong expectation fails.
    let other = tests.replace("AwsCredentialsNotReady", "AwsCredentialsNone");
    ensure!(judged(&other).is_err(), "a wrong expectation passes");
    Ok(())
}
