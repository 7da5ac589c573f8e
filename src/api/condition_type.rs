//! The types of conditions, and what holds for every condition of a type.

use strum::{EnumMessage, IntoStaticStr, VariantArray};

/// Types of conditions. The order of the variants is that of the conditions of a rotation in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumMessage, IntoStaticStr, VariantArray)]
pub enum ConditionType {
    /// The target holds the proven pair of the source and conforms to the spec.
    Ready,
    /// The source's pair passed its last check.
    Verified,
    /// The target exists, belongs to this resource and holds what was last published.
    Published,
    /// The operator waits or retries; no person has to act.
    Reconciling,
    /// A person must act.
    Stalled,
    /// Pods hold the superseded pair until they are restarted, or another resource still publishes it.
    PreviousKeyInUse,
    /// The workloads that `spec.rotation.restart` selects were restarted after the last rotation and became healthy.
    ConsumersRestarted,
}

/// Which status of a condition is good, in the terms of kstatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// True is good.
    NormalTrue,
    /// False is good.
    AbnormalTrue,
}

/// The part of a reconcile that sets a condition. The other part keeps the condition as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionOwner {
    /// `decide`, by the source, the target and AWS.
    Decision,
    /// What follows a publication, by the pods and workloads.
    Rotation,
}

/// When a condition is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// From the first decision on.
    Always,
    /// Only while the condition is True. Reason and message are those of Ready.
    WhileTrue,
    /// After a rotation, if the operator lists consumers.
    AfterRotation,
    /// After a rotation, if the spec has workloads restarted.
    AfterRotationWithRestarts,
}

impl Polarity {
    /// The good status.
    #[must_use]
    pub fn good_status(self) -> &'static str {
        match self {
            Self::NormalTrue => "True",
            Self::AbnormalTrue => "False",
        }
    }
}

impl ConditionType {
    fn properties(self) -> (Polarity, ConditionOwner, Presence) {
        use ConditionOwner::{Decision, Rotation};
        use Polarity::{AbnormalTrue, NormalTrue};
        match self {
            Self::Ready | Self::Verified | Self::Published => {
                (NormalTrue, Decision, Presence::Always)
            }
            Self::Reconciling | Self::Stalled => (AbnormalTrue, Decision, Presence::WhileTrue),
            Self::PreviousKeyInUse => (AbnormalTrue, Rotation, Presence::AfterRotation),
            Self::ConsumersRestarted => (NormalTrue, Rotation, Presence::AfterRotationWithRestarts),
        }
    }

    /// Which status is good.
    #[must_use]
    pub fn polarity(self) -> Polarity {
        self.properties().0
    }

    /// The part of a reconcile that sets the condition.
    #[must_use]
    pub fn owner(self) -> ConditionOwner {
        self.properties().1
    }

    /// When the condition is present.
    #[must_use]
    pub fn presence(self) -> Presence {
        self.properties().2
    }

    /// Whether the condition has a reason of its own. Reconciling and Stalled repeat that of Ready.
    #[must_use]
    pub fn has_own_reason(self) -> bool {
        !matches!(self.presence(), Presence::WhileTrue)
    }

    /// Whether the condition says how far the resource is. At most one of these conditions is True.
    #[must_use]
    pub fn is_summary(self) -> bool {
        self == Self::Ready || !self.has_own_reason()
    }

    /// The type as written in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses the type of a condition; `None` if it is not one of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::VARIANTS
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
    }
}
