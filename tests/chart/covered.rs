//! The alert of each reason: every state that needs a person raises an alert.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use serde_json::json;
use static_aws_credentials::{
    api::{ConditionType, Reason, StaticAwsCredentialsStatus},
    ops::metrics::Summary,
};
use strum::VariantArray as _;

use crate::alerts::judged;

/// The alert that fires while a reason lasts.
enum Alert {
    /// The alert of this name, for the condition with this status.
    Of(&'static str, ConditionType, &'static str),
    /// No alert, and the explanation.
    No(&'static str),
}

const NOT_READY: Alert = Alert::Of("NotReady", ConditionType::Ready, "False");
const REJECTED: Alert = Alert::Of("Rejected", ConditionType::Verified, "False");
const NO_VERDICT: Alert = Alert::Of("StsUnreachable", ConditionType::Verified, "Unknown");
const NOT_WRITTEN: Alert = Alert::Of("NotWritten", ConditionType::Published, "False");
const HELD: Alert = Alert::Of("PreviousKeyHeld", ConditionType::PreviousKeyInUse, "True");
const RESTARTS: Alert = Alert::Of("RestartsHeld", ConditionType::ConsumersRestarted, "False");

fn alert(reason: Reason) -> Alert {
    use Reason as R;
    match reason {
        R::Published | R::IdentityVerified | R::FormatOnly => Alert::No("all is well"),
        R::ConsumersRestarted | R::PreviousKeyUnused => Alert::No("it is the end of a rotation"),
        R::Suspended => Alert::No("a person wanted it"),
        R::NotPublished => Alert::No("the reason of Ready says why, and has an alert"),
        R::LeftoverRemains => Alert::No("of an event; it is tried again, and no pair is missing"),
        R::RejectionUnconfirmed => Alert::No("lasts a minute, and becomes another reason"),
        R::MassRejection => Alert::No("its own counter raises MassRejection"),
        R::Undecodable => Alert::No("its own counter raises Undecodable"),
        R::ConsumersPickingUp => Alert::No("lasts minutes"),
        R::ConsumersNotListed => Alert::No("the release does not list pods, which is a choice"),
        R::ConsumersNotTraced => Alert::No("of keys from before an upgrade, and lasts for good"),
        R::RestartsPending | R::RestartsProgressing => Alert::No("restarts go on"),
        R::ServingLastKnownGood => {
            Alert::Of("ServingLastKnownGood", ConditionType::Published, "True")
        }
        R::Pending => Alert::Of("NotReady", ConditionType::Ready, "Unknown"),
        R::Settling | R::SpecInvalid | R::SourceNotFound | R::RegionDisabled | R::OptInRequired => {
            NOT_READY
        }
        R::StsRegionMismatch
        | R::StsRequestAltered
        | R::ClockSkew
        | R::StsAccessDenied
        | R::StsThrottled
        | R::StsUnavailable
        | R::StsUnreachable
        | R::StsUnexpectedResponse => NO_VERDICT,
        R::Withdrawn => REJECTED,
        R::TargetLost
        | R::TargetModified
        | R::TargetConflict
        | R::AdoptionRefused
        | R::TargetTerminating
        | R::TargetImmutable
        | R::TargetTypeMismatch
        | R::TargetWriteRefused
        | R::PoliciesMissing => NOT_WRITTEN,
        R::PreviousKeyPublished | R::ConsumersHoldPreviousKey | R::ConsumersUnknown => HELD,
        R::RestartsHeld | R::RestartsNotAllowed => RESTARTS,
        reason if reason.is_terminal_for_source() => REJECTED,
        _ => Alert::No(""),
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
        match alert(*reason) {
            Alert::No(why) => ensure!(!why.is_empty(), "{} has no alert", reason.as_str()),
            Alert::Of(name, kind, status) => write!(
                tests,
                "- name: {}\n  interval: 1h\n  input_series:\n{}  \
                 promql_expr_test:\n  - expr: sum(ALERTS{{alertstate=\"firing\",alertname=\"StaticAwsCredentials{name}\"}})\n    \
                 eval_time: 7d1h\n    exp_samples: [{{value: 1}}]\n",
                reason.as_str(),
                series(kind, status, *reason)?,
            )?,
        }
    }
    judged(&tests)?;
    // Counter-check: a wrong expectation fails.
    let other = tests.replace("AwsCredentialsNotReady", "AwsCredentialsNone");
    ensure!(judged(&other).is_err(), "a wrong expectation passes");
    Ok(())
}
