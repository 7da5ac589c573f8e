//! What keeps the next workload from a restart, and the words for it.

use k8s_openapi::jiff::Timestamp;

use super::{listed, set_restarted};
use crate::{
    api::{Reason, StaticAwsCredentialsStatus},
    conditions::ConditionStatus,
};

/// Why the next workload is not restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// The operator has no right to.
    NotAllowed,
    /// A policy that is required is not seen to be enforced, in these words.
    Unguarded(String),
    /// The API server refuses the change of this workload, in these words.
    Refused(String, String),
    /// These are named, and not there.
    Missing(Vec<String>),
    /// The operator has no right to see whether pods from before the pair still run.
    PodsNotListed,
}

/// Says what stands in the way.
pub fn mark_blocked(status: &mut StaticAwsCredentialsStatus, why: &Blocker, now: Timestamp) {
    let (truth, reason, message) = match why {
        Blocker::NotAllowed => (
            ConditionStatus::Unknown,
            Reason::RestartsNotAllowed,
            "workloads may not be read and changed, so none is restarted; restart them yourself, or let the \
             operator do it, as the chart does with rotation.restart.enabled"
                .to_owned(),
        ),
        Blocker::Unguarded(why) => (ConditionStatus::Unknown, Reason::PoliciesMissing, why.clone()),
        Blocker::PodsNotListed => (
            ConditionStatus::Unknown,
            Reason::RestartsNotAllowed,
            "workloads were restarted, and pods may not be listed, so it is not known whether pods from before the \
             pair still run; let the operator list pods, as the chart does with rotation.restart.enabled"
                .to_owned(),
        ),
        Blocker::Refused(name, words) => (
            ConditionStatus::False,
            Reason::RestartsHeld,
            format!("the API server refuses to restart {name}: {words}"),
        ),
        Blocker::Missing(names) => (
            ConditionStatus::False,
            Reason::RestartsHeld,
            format!(
                "not there: {}; create what is missing, or take it out of spec.rotation.restart.workloads",
                listed(names)
            ),
        ),
    };
    set_restarted(status, truth, reason, message, now);
}
