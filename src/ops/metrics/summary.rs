//! What metrics report of one resource, in 16 bytes: there may be 10,000 resources.

use crate::{
    api::{ConditionType, Reason, StaticAwsCredentialsStatus},
    domain::conditions::{self, ConditionStatus},
};

const TYPES: [ConditionType; 7] = [
    ConditionType::Ready,
    ConditionType::Verified,
    ConditionType::Published,
    ConditionType::Reconciling,
    ConditionType::Stalled,
    ConditionType::PreviousKeyInUse,
    ConditionType::ConsumersRestarted,
];
/// Types whose reason is reported. Reconciling and Stalled repeat that of Ready.
const TOLD: [ConditionType; 5] = [
    ConditionType::Ready,
    ConditionType::Verified,
    ConditionType::Published,
    ConditionType::PreviousKeyInUse,
    ConditionType::ConsumersRestarted,
];
/// Reasons of a healthy resource, which are not reported.
const WELL: [Reason; 5] = [
    Reason::Published,
    Reason::IdentityVerified,
    Reason::FormatOnly,
    Reason::PreviousKeyUnused,
    Reason::ConsumersRestarted,
];

/// The state of one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    truths: Truths,
    reasons: [Option<Reason>; TOLD.len()],
    verified: u32,
    revision: u32,
}

/// The status of each condition type, or none, in two bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Truths(u16);

impl Truths {
    const BITS: [Option<ConditionStatus>; 4] = [
        None,
        Some(ConditionStatus::True),
        Some(ConditionStatus::False),
        Some(ConditionStatus::Unknown),
    ];

    fn of(truths: [Option<ConditionStatus>; TYPES.len()]) -> Self {
        let all = truths.into_iter().rev();
        Self(all.fold(0, |bits, truth| {
            let truth = Self::BITS.iter().position(|known| *known == truth);
            bits << 2 | u16::try_from(truth.unwrap_or_default()).unwrap_or_default()
        }))
    }

    fn all(self) -> impl Iterator<Item = Option<ConditionStatus>> {
        let at = move |place: usize| usize::from(self.0 >> (2 * place) & 3);
        (0..TYPES.len()).map(move |place| Self::BITS.get(at(place)).copied().flatten())
    }
}

impl Summary {
    /// The summary of a status.
    #[must_use]
    pub fn of(status: &StaticAwsCredentialsStatus) -> Self {
        let find = |kind| conditions::find(&status.conditions, kind);
        let verified = status.last_verified_time.as_ref();
        let verified = verified.and_then(|time| time.0.as_second().try_into().ok());
        let published = status.published.as_ref();
        let revision = published.and_then(|published| published.revision.try_into().ok());
        Self {
            truths: Truths::of(TYPES.map(|kind| ConditionStatus::parse(&find(kind)?.status))),
            reasons: TOLD.map(|kind| Reason::parse(&find(kind)?.reason)),
            verified: verified.unwrap_or_default(),
            revision: revision.unwrap_or_default(),
        }
    }

    /// The conditions that are present, and their status.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = TYPES.into_iter().zip(self.truths.all());
        all.filter_map(|(kind, truth)| Some((kind.as_str(), truth?.as_str())))
    }

    /// Conditions with a reason that a healthy resource does not have.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = TOLD.into_iter().zip(self.reasons);
        let told = |reason: &Reason| !WELL.contains(reason);
        all.filter_map(move |(kind, reason)| Some((kind.as_str(), reason.filter(told)?.as_str())))
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
