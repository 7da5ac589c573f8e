//! Classes of reasons. Decisions and alerts depend on the class, not on a list of reasons.

use super::Reason;

/// What several reasons have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonClass {
    /// All is well; metrics leave the reason out.
    Good,
    /// Something is awaited: the first reconcile, the source, or that AWS knows a new key.
    Waiting,
    /// The class of the resource cannot be used.
    ClassUnusable,
    /// The spec had no effect although `observedGeneration` covers it.
    SpecUnused,
    /// The source cannot be used, or its pair violates an offline check or a pin.
    SourceInvalid,
    /// AWS rejected the pair.
    Refused,
    /// AWS was asked and gave no conclusive answer.
    Undetermined,
    /// The target does not hold the source's pair, or a former target remains.
    TargetBlocked,
    /// A rotation progresses by itself.
    RotationProgressing,
    /// The superseded pair is held, or cannot be shown to be unused.
    PreviousKeyHeld,
    /// Restarts after a rotation do not go on by themselves.
    RestartsBlocked,
}

impl Reason {
    /// Whether the source's pair stays rejected until the source or the spec changes, or AWS accepts the pair
    /// at a later check.
    #[must_use]
    pub fn is_terminal_for_source(self) -> bool {
        self.class() == ReasonClass::SourceInvalid || self.is_refusal()
    }

    /// Whether AWS rejected the pair. The check is repeated, since a key may be activated, or a fault between
    /// the operator and STS repaired.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        self.class() == ReasonClass::Refused
    }

    /// Whether AWS or the store answers no pair until a person has changed a configuration, of the account, the store or
    /// the class.
    #[must_use]
    pub fn awaits_configuration(self) -> bool {
        matches!(
            self,
            Self::RegionDisabled
                | Self::OptInRequired
                | Self::EndpointRegionMismatch
                | Self::EndpointAcceptsAnything
        )
    }

    /// Whether the class of the resource is the obstacle.
    #[must_use]
    pub fn is_of_class(self) -> bool {
        self.class() == ReasonClass::ClassUnusable
    }

    /// Whether the spec had no effect although `observedGeneration` covers it.
    #[must_use]
    pub fn disregards_spec(self) -> bool {
        self.class() == ReasonClass::SpecUnused
    }

    /// Whether AWS was asked and gave no conclusive answer.
    #[must_use]
    pub fn is_undetermined(self) -> bool {
        self.class() == ReasonClass::Undetermined
    }
}
