//! What blocks the next restart, and the messages for it.

use k8s_openapi::jiff::Timestamp;

use super::{listed, set_restarted};
use crate::{
    api::{Reason, StaticAwsCredentialsStatus},
    domain::conditions::ConditionStatus,
};

/// Why the next workload is not restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// The operator lacks the permission.
    NotAllowed,
    /// A required admission policy is not seen to be enforced; with the message.
    Unguarded(String),
    /// The API server rejects the change of this workload, with this message.
    Refused(String, String),
    /// The spec names these workloads, and they do not exist.
    Missing(Vec<String>),
    /// The operator lacks the permission to list pods, and cannot see whether pods from before the pair still run.
    PodsNotListed,
}

/// Sets the condition for a blocker.
pub fn mark_blocked(status: &mut StaticAwsCredentialsStatus, why: &Blocker, now: Timestamp) {
    let (truth, reason, message) = match why {
        Blocker::NotAllowed => (
            ConditionStatus::Unknown,
            Reason::RestartsNotAllowed,
            "the operator is not allowed to read and change workloads, so none is restarted; restart them yourself, \
             or allow it, as the chart does with rotation.restart.enabled"
                .to_owned(),
        ),
        Blocker::Unguarded(why) => (ConditionStatus::Unknown, Reason::PoliciesMissing, why.clone()),
        Blocker::PodsNotListed => (
            ConditionStatus::Unknown,
            Reason::RestartsNotAllowed,
            "workloads were restarted, but the operator is not allowed to list pods, so it is unknown whether pods \
             from before the pair still run; allow it, as the chart does with rotation.restart.enabled"
                .to_owned(),
        ),
        Blocker::Refused(name, message) => (
            ConditionStatus::False,
            Reason::RestartsHeld,
            format!("the API server refuses to restart {name}: {message}"),
        ),
        Blocker::Missing(names) => (
            ConditionStatus::False,
            Reason::RestartsHeld,
            format!(
                "missing: {}; create the workloads, or remove them from spec.rotation.restart.workloads",
                listed(names)
            ),
        ),
    };
    set_restarted(status, truth, reason, message, now);
}
