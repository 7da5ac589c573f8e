//! What the status of the last reconcile reports. A process that has just started knows nothing else: what a decision
//! takes from earlier conditions is a fact with a name here, and no other module reads a reason.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{
    api::{ConditionType, Reason},
    domain::{conditions, verdict::Finding},
};

/// The facts in earlier conditions.
pub(super) struct Earlier<'a> {
    conditions: &'a [Condition],
    ready: Seen,
    verified: Seen,
    published: Seen,
}

/// An earlier condition.
#[derive(Clone, Copy)]
struct Seen {
    is_true: bool,
    reason: Option<Reason>,
}

impl<'a> Earlier<'a> {
    pub fn of(conditions: &'a [Condition]) -> Self {
        let seen = |kind| Seen {
            is_true: conditions::is_true(conditions, kind),
            reason: conditions::reason(conditions, kind),
        };
        Self {
            conditions,
            ready: seen(ConditionType::Ready),
            verified: seen(ConditionType::Verified),
            published: seen(ConditionType::Published),
        }
    }

    /// Whether the target held the source's pair, as the spec asks for it.
    pub fn was_ready(&self) -> bool {
        self.ready.is_true
    }

    /// Whether the source's pair was verified without a doubt.
    pub fn was_verified(&self) -> bool {
        self.verified.is_true
    }

    /// Whether the target held what was last published.
    pub fn was_published(&self) -> bool {
        self.published.is_true
    }

    /// Whether the target held the source's pair, also if the pair was in doubt or rejected.
    pub fn held_source_pair(&self) -> bool {
        self.published.reason == Some(Reason::Published)
    }

    /// Whether this operator deleted the target.
    pub fn was_withdrawn(&self) -> bool {
        self.published.reason == Some(Reason::Withdrawn)
    }

    /// Whether another client deleted the target, while the source held no proven pair.
    pub fn target_was_lost(&self) -> bool {
        self.published.reason == Some(Reason::TargetLost)
    }

    /// Whether the source did not exist.
    pub fn source_was_missing(&self) -> bool {
        self.ready.reason == Some(Reason::SourceNotFound)
    }

    /// Whether the class of the resource was unusable for this reason.
    pub fn class_was(&self, reason: Reason) -> bool {
        self.ready.reason == Some(reason)
    }

    /// Whether AWS rejected the source's pair at the last request.
    pub fn was_refused(&self) -> bool {
        self.ready.reason.is_some_and(Reason::is_refusal)
    }

    /// Whether the target was edited, and its repair was not possible or had to wait.
    pub fn was_modified(&self) -> bool {
        self.ready.reason == Some(Reason::TargetModified)
    }

    /// Whether the spec had no effect although `observedGeneration` covers it.
    pub fn disregarded_spec(&self) -> bool {
        self.ready.reason.is_some_and(Reason::disregards_spec)
    }

    /// Whether only the interval, or a change of source, spec or target, could lead further.
    pub fn was_final(&self) -> bool {
        let is_final = |reason: Reason| {
            reason == Reason::SourceNotFound
                || reason.is_terminal_for_source()
                || reason.is_of_class()
        };
        if self.ready.is_true {
            self.ready.reason == Some(Reason::Published)
        } else {
            self.ready.reason.is_some_and(is_final)
        }
    }

    /// Whether the last answer was not one that STS gives.
    pub fn got_unexpected_response(&self) -> bool {
        matches!(
            self.verified.reason,
            Some(Reason::StsUnexpectedResponse | Reason::EndpointUnexpectedResponse)
        )
    }

    /// Why the last answer of AWS said nothing about the pair, if so.
    pub fn doubt(&self) -> Option<Finding> {
        let reason = self
            .verified
            .reason
            .filter(|reason| reason.is_undetermined())?;
        let condition = conditions::find(self.conditions, ConditionType::Verified)?;
        Some(Finding::new(reason, condition.message.clone()))
    }
}
