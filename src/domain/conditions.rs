//! Conditions: how the result of a reconcile becomes `status.conditions`, and which conditions exclude each other.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use strum::VariantArray;

use crate::{
    api::{ConditionOwner, ConditionType, Reason},
    domain::{verdict::Finding, words},
};

/// The most bytes of a condition's message. The schema allows eight times as many characters: a status that the API
/// server rejects shows no reason.
pub const LONGEST_MESSAGE: usize = 4096;

/// The status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known.
    Unknown,
}

/// Whether the resource is done. At most one of Ready=True, Reconciling and Stalled is ever present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The target holds the source's pair.
    Ready(Finding),
    /// Something is awaited; no person has to act.
    Reconciling(Finding),
    /// A person must act.
    Stalled(Finding),
}

/// All conditions after one reconcile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionSet {
    /// The verdict on the source's pair.
    pub verified: (ConditionStatus, Finding),
    /// Whether the target holds what was last published.
    pub published: (ConditionStatus, Finding),
    /// Whether the resource is done.
    pub summary: Readiness,
}

impl ConditionStatus {
    /// The status as it stands in a condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }

    /// Parses the status of a condition.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::True, Self::False, Self::Unknown];
        all.into_iter().find(|truth| truth.as_str() == text)
    }
}

impl ConditionSet {
    /// The conditions, with the transition times of `before` where the status did not change.
    #[must_use]
    pub fn conditions(&self, before: &[Condition], now: Timestamp) -> Vec<Condition> {
        let build = |kind, truth, finding| condition(before, kind, truth, finding, now);
        let (ready, further, finding) = match &self.summary {
            Readiness::Ready(finding) => (ConditionStatus::True, None, finding),
            Readiness::Reconciling(finding) => (
                ConditionStatus::False,
                Some(ConditionType::Reconciling),
                finding,
            ),
            Readiness::Stalled(finding) => (
                ConditionStatus::False,
                Some(ConditionType::Stalled),
                finding,
            ),
        };
        let mut conditions = vec![
            build(ConditionType::Ready, ready, finding),
            build(ConditionType::Verified, self.verified.0, &self.verified.1),
            build(
                ConditionType::Published,
                self.published.0,
                &self.published.1,
            ),
        ];
        conditions.extend(further.map(|kind| build(kind, ConditionStatus::True, finding)));
        let all = ConditionType::VARIANTS.iter().copied();
        let kept = all.filter(|kind| kind.owner() == ConditionOwner::Rotation);
        conditions.extend(kept.filter_map(|kind| find(before, kind).cloned()));
        conditions
    }
}

/// The conditions of a suspended resource: Ready keeps its status, nothing is awaited.
#[must_use]
pub fn suspended(before: &[Condition], now: Timestamp) -> Vec<Condition> {
    let finding = Finding::new(
        Reason::Suspended,
        "spec.suspend is true: nothing is read, proven, written or restored",
    );
    let ready = match find(before, ConditionType::Ready).map(|condition| condition.status.as_str())
    {
        Some("True") => ConditionStatus::True,
        Some("False") => ConditionStatus::False,
        _ => ConditionStatus::Unknown,
    };
    let kept = before.iter().filter(|condition| {
        condition.type_ != ConditionType::Ready.as_str()
            && condition.type_ != ConditionType::Reconciling.as_str()
    });
    let ready = condition(before, ConditionType::Ready, ready, &finding, now);
    std::iter::once(ready).chain(kept.cloned()).collect()
}

/// The conditions of a resource whose spec cannot be used. Those about pair, target and pods stay.
#[must_use]
pub fn unusable(before: &[Condition], finding: &Finding, now: Timestamp) -> Vec<Condition> {
    let build = |kind, truth| condition(before, kind, truth, finding, now);
    let kept = before
        .iter()
        .filter(|old| !ConditionType::parse(&old.type_).is_some_and(ConditionType::is_summary));
    std::iter::once(build(ConditionType::Ready, ConditionStatus::False))
        .chain(kept.cloned())
        .chain([build(ConditionType::Stalled, ConditionStatus::True)])
        .collect()
}

/// The condition of a type.
#[must_use]
pub fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions
        .iter()
        .find(|condition| condition.type_ == kind.as_str())
}

/// Whether the condition of a type is True.
#[must_use]
pub fn is_true(conditions: &[Condition], kind: ConditionType) -> bool {
    find(conditions, kind).is_some_and(|condition| condition.status == "True")
}

/// The reason of the condition of a type.
#[must_use]
pub fn reason(conditions: &[Condition], kind: ConditionType) -> Option<Reason> {
    find(conditions, kind).and_then(|condition| Reason::parse(&condition.reason))
}

/// A condition, with the transition time of `before` where its status did not change.
#[must_use]
pub fn condition(
    before: &[Condition],
    kind: ConditionType,
    truth: ConditionStatus,
    finding: &Finding,
    now: Timestamp,
) -> Condition {
    let unchanged = find(before, kind).filter(|old| old.status == truth.as_str());
    Condition {
        type_: kind.as_str().to_owned(),
        status: truth.as_str().to_owned(),
        reason: finding.reason.as_str().to_owned(),
        message: words::cut(&finding.message, LONGEST_MESSAGE),
        last_transition_time: unchanged.map_or(Time(now), |old| old.last_transition_time.clone()),
        observed_generation: None,
    }
}

#[cfg(test)]
mod tests;
