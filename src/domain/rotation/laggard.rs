//! Owners that still run pods from before a pair after all workloads were restarted.

use std::time::Duration;

use super::names::join_names;
use crate::{api::Reason, domain::conditions::ConditionStatus};

/// Owners of pods from before a pair, by the reason why these pods still run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laggards {
    /// Workloads whose template lacks the restart annotation.
    pub unmarked: Vec<String>,
    /// Workloads whose template has the restart annotation.
    pub rolling: Vec<String>,
    /// Owners that are not restarted: of another kind, or with pods like those of a named workload that is idle.
    pub others: Vec<String>,
}

impl Laggards {
    /// Whether no such owner is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unmarked.is_empty() && self.rolling.is_empty() && self.others.is_empty()
    }

    /// The condition after the wait. A rollout may still be under way; time does not help a template that lost the
    /// annotation, nor an owner of another kind.
    #[must_use]
    pub fn verdict(
        &self,
        waited: Duration,
        timeout: Duration,
    ) -> (ConditionStatus, Reason, String) {
        let parts = [
            (
                &self.unmarked,
                "run pods from before the pair, and the annotation of the restart is gone from the template, as when a \
                 controller that owns the workload reverts the change; restart them there:",
            ),
            (
                &self.others,
                "run pods from before the pair, and are none of the workloads that are restarted; restart them yourself:",
            ),
            (
                &self.rolling,
                "were restarted, and still run pods from before the pair:",
            ),
        ];
        let parts = parts.into_iter().filter(|(names, _)| !names.is_empty());
        let messages =
            parts.map(|(names, what)| format!("{what} {}", join_names(names, names.len())));
        let message = messages.collect::<Vec<_>>().join("; ");
        let only_rolling = self.unmarked.is_empty() && self.others.is_empty();
        if only_rolling && waited <= timeout {
            (
                ConditionStatus::Unknown,
                Reason::RestartsProgressing,
                message,
            )
        } else {
            (ConditionStatus::False, Reason::RestartsHeld, message)
        }
    }
}
