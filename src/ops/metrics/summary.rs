//! What metrics report of one resource, in 24 bytes: there may be 10,000 resources.

use strum::VariantArray;

use crate::{
    api::{ConditionType, Reason, ReasonClass, StaticAwsCredentialsStatus},
    domain::conditions::{self, ConditionStatus},
};

/// The number of condition types.
const TYPES: usize = ConditionType::VARIANTS.len();

/// The state of one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// In the order of [`ConditionType::VARIANTS`].
    conditions: [ConditionSummary; TYPES],
    verified: u32,
    revision: u32,
}

/// A condition. Both fields are `None` if the resource lacks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ConditionSummary {
    status: Option<ConditionStatus>,
    reason: Option<Reason>,
}

impl Summary {
    /// The summary of a status.
    #[must_use]
    pub fn of(status: &StaticAwsCredentialsStatus) -> Self {
        let mut all = [ConditionSummary::default(); TYPES];
        for (summary, kind) in all.iter_mut().zip(ConditionType::VARIANTS) {
            let condition = conditions::find(&status.conditions, *kind);
            *summary = ConditionSummary {
                status: condition.and_then(|found| ConditionStatus::parse(&found.status)),
                reason: condition.and_then(|found| Reason::parse(&found.reason)),
            };
        }
        let verified = status.last_verified_time.as_ref();
        let verified = verified.and_then(|time| time.0.as_second().try_into().ok());
        let published = status.published.as_ref();
        let revision = published.and_then(|published| published.revision.try_into().ok());
        Self {
            conditions: all,
            verified: verified.unwrap_or_default(),
            revision: revision.unwrap_or_default(),
        }
    }

    /// The conditions that are present, and their status.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = ConditionType::VARIANTS.iter().zip(self.conditions);
        all.filter_map(|(kind, condition)| Some((kind.as_str(), condition.status?.as_str())))
    }

    /// Conditions with a reason that a healthy resource does not have, without Reconciling and Stalled, which repeat
    /// the reason of Ready.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = ConditionType::VARIANTS.iter().zip(self.conditions);
        let own = all.filter(|(kind, _)| kind.has_own_reason());
        own.filter_map(|(kind, condition)| {
            let reason = condition.reason?;
            (reason.class() != ReasonClass::Good).then_some((kind.as_str(), reason.as_str()))
        })
    }

    /// When AWS last accepted the published pair, in seconds since 1970.
    #[must_use]
    pub fn verified(&self) -> Option<u32> {
        (self.verified > 0).then_some(self.verified)
    }

    /// How many pairs were published.
    #[must_use]
    pub fn revision(&self) -> Option<u32> {
        (self.revision > 0).then_some(self.revision)
    }
}
