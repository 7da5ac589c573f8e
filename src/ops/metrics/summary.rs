//! What metrics report of one resource, in 16 bytes: there may be 10,000 resources.

use strum::VariantArray;

use crate::{
    api::{ConditionType, Reason, ReasonClass, StaticAwsCredentialsStatus},
    domain::conditions::{self, ConditionStatus},
};

/// The number of types whose reason is reported.
const TOLD: usize = count_told(ConditionType::VARIANTS);

const fn count_told(types: &[ConditionType]) -> usize {
    match types {
        [] => 0,
        [first, rest @ ..] if first.has_own_reason() => 1 + count_told(rest),
        [_, rest @ ..] => count_told(rest),
    }
}

/// The types whose reason is reported.
fn told() -> impl Iterator<Item = ConditionType> {
    let all = ConditionType::VARIANTS.iter().copied();
    all.filter(|kind| kind.has_own_reason())
}

/// The state of one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    truths: Truths,
    reasons: [Option<Reason>; TOLD],
    verified: u32,
    revision: u32,
}

/// The status of each condition type, or none, in two bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Truths(u16);

const _: () = assert!(
    ConditionType::VARIANTS.len() <= 8,
    "a type has 2 bits of 16"
);

impl Truths {
    const BITS: [Option<ConditionStatus>; 4] = [
        None,
        Some(ConditionStatus::True),
        Some(ConditionStatus::False),
        Some(ConditionStatus::Unknown),
    ];

    fn of(truths: impl DoubleEndedIterator<Item = Option<ConditionStatus>>) -> Self {
        Self(truths.rev().fold(0, |bits, truth| {
            let truth = Self::BITS.iter().position(|known| *known == truth);
            bits << 2 | u16::try_from(truth.unwrap_or_default()).unwrap_or_default()
        }))
    }

    fn all(self) -> impl Iterator<Item = Option<ConditionStatus>> {
        let at = move |place: usize| usize::from(self.0 >> (2 * place) & 3);
        (0..ConditionType::VARIANTS.len())
            .map(move |place| Self::BITS.get(at(place)).copied().flatten())
    }
}

impl Summary {
    /// The summary of a status.
    #[must_use]
    pub fn of(status: &StaticAwsCredentialsStatus) -> Self {
        let truth = |kind: &ConditionType| {
            let condition = conditions::find(&status.conditions, *kind)?;
            ConditionStatus::parse(&condition.status)
        };
        let mut reasons = [None; TOLD];
        for (reason, kind) in reasons.iter_mut().zip(told()) {
            *reason = conditions::reason(&status.conditions, kind);
        }
        let verified = status.last_verified_time.as_ref();
        let verified = verified.and_then(|time| time.0.as_second().try_into().ok());
        let published = status.published.as_ref();
        let revision = published.and_then(|published| published.revision.try_into().ok());
        Self {
            truths: Truths::of(ConditionType::VARIANTS.iter().map(truth)),
            reasons,
            verified: verified.unwrap_or_default(),
            revision: revision.unwrap_or_default(),
        }
    }

    /// The conditions that are present, and their status.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = ConditionType::VARIANTS.iter().zip(self.truths.all());
        all.filter_map(|(kind, truth)| Some((kind.as_str(), truth?.as_str())))
    }

    /// Conditions with a reason that a healthy resource does not have.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = told().zip(self.reasons);
        all.filter_map(|(kind, reason)| {
            let reason = reason.filter(|reason| reason.class() != ReasonClass::Good)?;
            Some((kind.as_str(), reason.as_str()))
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
