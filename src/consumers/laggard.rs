//! What still runs pods from before a pair after all workloads were restarted.

use std::time::Duration;

use super::verdict::words;
use crate::{api::Reason, conditions::ConditionStatus};

/// What runs pods from before a pair, by the reason for which it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laggards {
    /// Workloads whose template lacks the annotation of the restart.
    pub unmarked: Vec<String>,
    /// Workloads whose template has it.
    pub rolling: Vec<String>,
    /// What is not restarted: of another kind, or in the place of a workload that is named.
    pub others: Vec<String>,
}

impl Laggards {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unmarked.is_empty() && self.rolling.is_empty() && self.others.is_empty()
    }

    /// What is said of them once they have been waited for. A rollout may still be under way; what takes the
    /// annotation back, or is of another kind, is not mended by time.
    #[must_use]
    pub fn verdict(
        &self,
        waited: Duration,
        patience: Duration,
    ) -> (ConditionStatus, Reason, String) {
        let parts = [
            (
                &self.unmarked,
                "run pods from before the pair, and the annotation of the restart is gone from the template, as when a \
                 controller that owns the workload takes it back; restart them there:",
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
        let said = parts.map(|(names, what)| format!("{what} {}", words(names, names.len())));
        let message = said.collect::<Vec<_>>().join("; ");
        let only_rolling = self.unmarked.is_empty() && self.others.is_empty();
        if only_rolling && waited <= patience {
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
