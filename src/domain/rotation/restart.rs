//! Restarts of workloads after a rotation: for which revision, in which order, and with which condition.

use std::time::Duration;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::{
    Laggards, Publication, Recheck, ReloadMode, Workload,
    names::join_names,
    overlap::{propagated_at, remove_condition, set_condition},
};
use crate::{
    api::{
        ConditionType, MOST_WORKLOADS, Reason, Restart, RestartScope, Restarts,
        StaticAwsCredentialsStatus, WorkloadReference,
    },
    domain::{
        conditions::{self, ConditionStatus},
        verdict::Finding,
    },
};

mod blocker;

pub use blocker::{Blocker, mark_blocked};

/// A rollout that takes longer is reported as one that may never end.
const ROLLOUT_TIMEOUT: Duration = Duration::from_mins(5);
const RESTARTED: ConditionType = ConditionType::ConsumersRestarted;

/// The state of a workload in the restarts for a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartState {
    /// Its pods read an older pair when they started.
    Due,
    /// It was restarted for this revision already.
    Restarted,
    /// It was created after the pair reached every pod that starts.
    Newer,
}

/// Begins the restarts in the status if this reconcile published another pair.
pub fn note(
    before: &StaticAwsCredentialsStatus,
    after: &mut StaticAwsCredentialsStatus,
    wanted: Option<&Restart>,
    allowed: bool,
    kubelet: Duration,
    now: Timestamp,
) {
    let (Some(_), Some(published)) = (wanted, &after.published) else {
        forget(after);
        return;
    };
    let superseded = before.published.as_ref();
    if superseded.is_none_or(|superseded| superseded.revision == published.revision) {
        return;
    }
    let message = format!(
        "pods that start before {} may still get the previous pair; workloads are restarted then",
        propagated_at(published, kubelet)
    );
    let restarts = Restarts {
        revision: published.revision,
        // Workloads that the previous rotation left unhealthy come first now.
        restarting: before.restarts.clone().unwrap_or_default().restarting,
        ..Restarts::default()
    };
    after.restarts = Some(restarts);
    set_restarted(
        after,
        ConditionStatus::Unknown,
        Reason::RestartsPending,
        message,
        now,
    );
    if !allowed {
        mark_blocked(after, &Blocker::NotAllowed, now);
        after.restarts = None;
    }
}

/// Removes the restarts and their condition from the status.
pub fn forget(status: &mut StaticAwsCredentialsStatus) {
    status.restarts = None;
    remove_condition(status, RESTARTED);
}

/// The state of a workload in the restarts for a published pair.
#[must_use]
pub fn restart_state(workload: &Workload, publication: Publication<'_>) -> RestartState {
    if publication.restarted(workload) {
        return RestartState::Restarted;
    }
    let created = workload.metadata.creation_timestamp.as_ref();
    if created.is_some_and(|created| created.0 > publication.propagated_at()) {
        return RestartState::Newer;
    }
    RestartState::Due
}

/// The order of restarts: first workloads that an earlier restart left unhealthy, since this pair may heal them;
/// last workloads that are unhealthy for other reasons, so that no workload waits for them.
#[must_use]
pub fn in_order(found: &[(WorkloadReference, bool)], unhealthy: &[String]) -> Vec<String> {
    let mut all: Vec<(bool, bool, String)> = found
        .iter()
        .map(|(reference, healthy)| {
            let name = reference.to_string();
            (!unhealthy.contains(&name), !healthy, name)
        })
        .collect();
    all.sort();
    let names = all.into_iter().map(|(_, _, name)| name);
    names.take(MOST_WORKLOADS).collect()
}

/// Whether the spec still covers a workload.
#[must_use]
pub fn is_selected(name: &str, wanted: &Restart) -> bool {
    let mut named = wanted.workloads.iter().flatten();
    wanted.scope == RestartScope::Consumers || named.any(|one| one.to_string() == name)
}

/// Whether the pods of a workload read a Secret only when they start.
#[must_use]
pub fn needs_restart(workload: &Workload, secret: &str) -> bool {
    workload.reload_mode(secret) == Some(ReloadMode::NeedsRestart)
}

/// The Kubernetes documentation calls it forced rollback: a `StatefulSet` waits for its broken pod for good.
fn manual_advice(workloads: &[String]) -> &'static str {
    let stateful = workloads
        .iter()
        .any(|name| name.starts_with("StatefulSet/"));
    if stateful {
        "; a StatefulSet does not replace a broken pod after its template was fixed: delete that pod by hand"
    } else {
        ""
    }
}

/// Sets the condition by the progress of the restarts, and returns when to check again. `waited` is how long the
/// current rollouts have been waited for. Restarts count as done only after the last check of the pods.
pub fn judge(
    status: &mut StaticAwsCredentialsStatus,
    last_check: Option<&Laggards>,
    waited: Duration,
    now: Timestamp,
) -> Option<Recheck> {
    let restarts = status.restarts.as_mut()?;
    let Some(remaining) = restarts.pending.as_ref().map(Vec::len) else {
        return Some(Recheck::Later);
    };
    let since = restarts.restarting_since.get_or_insert(Time(now)).0;
    if !restarts.restarting.is_empty() {
        let names = listed(&restarts.restarting);
        let (truth, reason, message) = if waited > ROLLOUT_TIMEOUT {
            let message = format!(
                "restarted, and not healthy since {since}: {names}; {remaining} more wait until this is fixed{}",
                manual_advice(&restarts.restarting)
            );
            (ConditionStatus::False, Reason::RestartsHeld, message)
        } else {
            let message = format!("being restarted: {names}; {remaining} more follow");
            (
                ConditionStatus::Unknown,
                Reason::RestartsProgressing,
                message,
            )
        };
        set_restarted(status, truth, reason, message, now);
        return Some(Recheck::Soon);
    }
    let Some(laggards) = last_check.filter(|_| remaining == 0) else {
        restarts.restarting_since = restarts.restarting_since.take().filter(|_| remaining == 0);
        return Some(Recheck::Later);
    };
    if !laggards.is_empty() {
        let (truth, reason, message) = laggards.verdict(waited, ROLLOUT_TIMEOUT);
        set_restarted(status, truth, reason, message, now);
        return Some(Recheck::Later);
    }
    let message = done_message(restarts);
    status.restarts = None;
    set_restarted(
        status,
        ConditionStatus::True,
        Reason::ConsumersRestarted,
        message,
        now,
    );
    None
}

fn done_message(restarts: &Restarts) -> String {
    let revision = restarts.revision;
    let mut message = match restarts.restarted {
        0 => format!("no workload needed a restart for revision {revision}"),
        count => format!("restarted for revision {revision} and healthy: {count} workloads"),
    };
    if restarts.gone > 0 {
        let gone = format!("; deleted before they were healthy: {}", restarts.gone);
        message.push_str(&gone);
    }
    message
}

/// Reports that no workload is restarted while the resource is not Ready.
pub fn waits(status: &mut StaticAwsCredentialsStatus, now: Timestamp) {
    let message = "workloads are restarted when the resource is Ready".to_owned();
    set_restarted(
        status,
        ConditionStatus::Unknown,
        Reason::RestartsPending,
        message,
        now,
    );
}

/// Whether workloads are still to be restarted, or waited for.
#[must_use]
pub fn in_progress(status: &StaticAwsCredentialsStatus) -> bool {
    status.restarts.is_some()
}

/// Whether the resource is Ready: pods that start get the source's proven pair.
#[must_use]
pub fn may_go_on(status: &StaticAwsCredentialsStatus) -> bool {
    conditions::is_true(&status.conditions, ConditionType::Ready)
}

fn listed(names: &[String]) -> String {
    join_names(names, names.len())
}

fn set_restarted(
    status: &mut StaticAwsCredentialsStatus,
    truth: ConditionStatus,
    reason: Reason,
    message: String,
    now: Timestamp,
) {
    set_condition(
        status,
        RESTARTED,
        truth,
        &Finding::new(reason, message),
        now,
    );
}
