//! The messages for a previous key, given what was observed of pods and other resources.

use std::{collections::BTreeSet, fmt::Write};

use k8s_openapi::jiff::Timestamp;

use super::{OldKeyHolder, Others, Relation, group::is_traced, names::join_names};
use crate::{
    api::{ConsumerGroup, Consumers, Previous, Reason, StaticAwsCredentialsStatus},
    domain::{conditions::ConditionStatus, verdict::Finding},
};

/// Places that are not checked for the previous key pair.
const NOT_CHECKED: &str = "PersistentVolumes, copies that programs made, resources and pods that were deleted while containers of \
     theirs still ran, nodes with a wrong clock, other clusters";

/// The input of a verdict.
pub(super) struct VerdictInput<'a> {
    pub status: &'a StaticAwsCredentialsStatus,
    pub previous: &'a Previous,
    pub consumers: &'a Consumers,
    pub holders: &'a [OldKeyHolder],
    pub others: &'a Others,
    pub waits_until: Option<Timestamp>,
}

impl VerdictInput<'_> {
    pub(super) fn verdict(&self) -> (ConditionStatus, Finding) {
        let key = format!("the key that ends in {}", self.previous.key_id_suffix);
        let verdict = self
            .in_use(&key)
            .map(|finding| (ConditionStatus::True, finding));
        let verdict = verdict.or_else(|| {
            self.unknown(&key)
                .map(|finding| (ConditionStatus::Unknown, finding))
        });
        let (truth, (reason, message)) = verdict.unwrap_or_else(|| {
            (
                ConditionStatus::False,
                (Reason::PreviousKeyUnused, self.unused(&key)),
            )
        });
        (truth, Finding::new(reason, message))
    }

    fn in_use(&self, key: &str) -> Option<(Reason, String)> {
        let restart = &self.consumers.restart_needed;
        let others = || self.others.worst_names().join(", ");
        if restart.count > 0 {
            let mut message = format!(
                "{key} is held by pods that read it only when they start; restart {}{}",
                listed(restart),
                self.rename_advice()
            );
            if self.others.worst() >= Relation::Holds {
                // Writing to a string does not fail.
                let _ = write!(message, "; check {} too, which have the same key", others());
            }
            return Some((Reason::ConsumersHoldPreviousKey, message));
        }
        match self.others.worst() {
            Relation::Publishes => Some((
                Reason::PreviousKeyPublished,
                format!(
                    "{key} is still published by {}; give these the new pair too",
                    others()
                ),
            )),
            Relation::Holds => Some((
                Reason::ConsumersHoldPreviousKey,
                format!(
                    "{key} is held by pods of {}; restart the pods that these resources name",
                    others()
                ),
            )),
            _ => None,
        }
    }

    fn unknown(&self, key: &str) -> Option<(Reason, String)> {
        let unknown = &self.consumers.unknown;
        let others = self.others.worst_names().join(", ");
        if unknown.count > 0 {
            let names = listed(unknown);
            let message = format!("{key} may be held by pods that are not ready; check {names}");
            return Some((Reason::ConsumersUnknown, message));
        }
        if !self.others.listed {
            let message = format!("{key} may be published by resources that are not listed yet");
            return Some((Reason::ConsumersUnknown, message));
        }
        match self.others.worst() {
            Relation::Alike => {
                let others = if others.is_empty() {
                    "a resource of another namespace".to_owned()
                } else {
                    others
                };
                let message = format!(
                    "{key} may be the key of {others}, which ends with the same characters; nothing else is known of that key; \
                     compare the two, and check in IAM whether the key is still used"
                );
                return Some((Reason::ConsumersUnknown, message));
            }
            Relation::Unknown => {
                let message = format!(
                    "{key} may be held by pods of {others} that are not ready or were not checked yet; see the status of these resources"
                );
                return Some((Reason::ConsumersUnknown, message));
            }
            _ => {}
        }
        if let Some(until) = self.waits_until {
            let message = format!(
                "{key} may be held until {until}, by when every pod has read its successor"
            );
            return Some((Reason::ConsumersPickingUp, message));
        }
        if is_traced(self.previous) && self.others.worst() != Relation::NotTraced {
            return None;
        }
        let message = format!(
            "no pod of this namespace that uses {} holds {key} any more, but older names or keys are not known; look for \
             pods that use an older name, check in IAM that the key has not been used since, and deactivate it",
            self.secrets()
        );
        Some((Reason::ConsumersNotTraced, message))
    }

    fn unused(&self, key: &str) -> String {
        let elsewhere = if self.others.everywhere {
            ""
        } else {
            ", namespaces that this operator does not serve"
        };
        format!(
            "no pod of this namespace that uses {} holds {key} any more, and no other resource publishes it or has \
             pods that may hold it; not checked: {NOT_CHECKED}{elsewhere}; check in IAM that it has not been used \
             since, deactivate it, and delete it later",
            self.secrets()
        )
    }

    /// A restart alone gives nothing newer to a pod that uses a former name.
    fn rename_advice(&self) -> String {
        let former: BTreeSet<&str> = self
            .holders
            .iter()
            .filter_map(|holder| holder.former.as_deref())
            .collect();
        if former.is_empty() {
            return String::new();
        }
        let former = quoted(former);
        let present = self.status.published.as_ref();
        let present = present.map_or_else(
            || "what is published next".to_owned(),
            |published| format!("Secret \"{}\"", published.secret_name),
        );
        format!(
            ", and make those that use Secret {former}, which is no longer published, use {present}"
        )
    }

    /// Every Secret whose pods were checked.
    fn secrets(&self) -> String {
        let present = self.status.published.as_ref();
        let present = present.map(|published| published.secret_name.as_str());
        let former = self.previous.secret_names.iter().map(String::as_str);
        let former = former.filter(|name| Some(*name) != present);
        format!("Secret {}", quoted(present.into_iter().chain(former)))
    }
}

fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names = names.into_iter().map(|name| format!("\"{name}\""));
    names.collect::<Vec<_>>().join(" or ")
}

fn listed(group: &ConsumerGroup) -> String {
    let count = usize::try_from(group.count).unwrap_or_default();
    join_names(&group.names, count)
}
