//! Restarts of workloads after a rotation: for which revision, in which order, and what is said of them.

use std::time::Duration;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::{
    Again, Laggards, Pickup, Workload,
    overlap::{delivered, say, unsay},
    verdict::words,
};
use crate::{
    api::{
        ConditionType, MOST_WORKLOADS, Published, Reason, Restart, RestartScope, Restarts,
        StaticAwsCredentialsStatus, WorkloadReference,
    },
    conditions::{self, Truth},
    verdict::Finding,
};

/// A rollout that takes longer is told of as one that may never end.
const PATIENCE: Duration = Duration::from_mins(5);
const RESTARTED: ConditionType = ConditionType::ConsumersRestarted;

/// What a workload is to the restarts for a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its pods read an older pair when they started.
    Due,
    /// It was restarted for this revision already.
    Restarted,
    /// It was made since the pair was published.
    Newer,
}

/// Why the next workload is not restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
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

/// Takes note of it in the status after a run if another pair was published in that run.
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
        "pods that start before {} may still get the pair before; workloads are restarted then",
        delivered(published, kubelet)
    );
    let begun = Restarts {
        revision: published.revision,
        // Whatever the rotation before left unhealthy comes first now.
        restarting: before.restarts.clone().unwrap_or_default().restarting,
        ..Restarts::default()
    };
    after.restarts = Some(begun);
    tell(after, Truth::Unknown, Reason::RestartsPending, message, now);
    if !allowed {
        hindered(after, &Hindrance::NotAllowed, now);
        after.restarts = None;
    }
}

/// Nothing is said of restarts any more.
pub fn forget(status: &mut StaticAwsCredentialsStatus) {
    status.restarts = None;
    unsay(status, RESTARTED);
}

/// What the mark of a workload says that was restarted for a publication. The revision alone does not tell them
/// apart: after a withdrawal it begins anew.
#[must_use]
pub fn occasion(published: &Published) -> String {
    format!("{}@{}", published.revision, published.time.0)
}

/// What a workload is to a pair that was published.
#[must_use]
pub fn turn(workload: &Workload, uid: &str, published: &Published, kubelet: Duration) -> Turn {
    if workload.restarted_for(uid) == Some(&occasion(published)) {
        return Turn::Restarted;
    }
    let made = workload.metadata.creation_timestamp.as_ref();
    if made.is_some_and(|made| made.0 > delivered(published, kubelet)) {
        return Turn::Newer;
    }
    Turn::Due
}

/// The order in which workloads are restarted: first what an earlier restart left unhealthy, since this
/// pair may heal it; what is unhealthy for reasons of its own comes last, so that nobody waits for it.
#[must_use]
pub fn in_order(found: &[(WorkloadReference, bool)], left: &[String]) -> Vec<String> {
    let mut all: Vec<(bool, bool, String)> = found
        .iter()
        .map(|(reference, healthy)| {
            let name = reference.to_string();
            (!left.contains(&name), !healthy, name)
        })
        .collect();
    all.sort();
    let names = all.into_iter().map(|(_, _, name)| name);
    names.take(MOST_WORKLOADS).collect()
}

/// Whether a workload is still among those that the spec speaks of.
#[must_use]
pub fn is_meant(name: &str, wanted: &Restart) -> bool {
    let mut named = wanted.workloads.iter().flatten();
    wanted.scope == RestartScope::Consumers || named.any(|one| one.to_string() == name)
}

/// Whether the pods of a workload read a Secret when they start, and not again.
#[must_use]
pub fn is_wanted(workload: &Workload, secret: &str) -> bool {
    workload.pickup(secret) == Some(Pickup::RestartNeeded)
}

/// Kubernetes calls it forced rollback: a `StatefulSet` waits for its broken pod for good.
fn by_hand(workloads: &[String]) -> &'static str {
    let stateful = workloads
        .iter()
        .any(|name| name.starts_with("StatefulSet/"));
    if stateful {
        "; a StatefulSet replaces no broken pod after its template was mended: delete that pod by hand"
    } else {
        ""
    }
}

/// What is said once it is known how far the restarts have come, and when to look again. `waited` is how long
/// the present ones have been waited for. Before the last look at the pods nothing is called done.
pub fn judge(
    status: &mut StaticAwsCredentialsStatus,
    last_look: Option<&Laggards>,
    waited: Duration,
    now: Timestamp,
) -> Option<Again> {
    let restarts = status.restarts.as_mut()?;
    let Some(left) = restarts.pending.as_ref().map(Vec::len) else {
        return Some(Again::Later);
    };
    let since = restarts.restarting_since.get_or_insert(Time(now)).0;
    if !restarts.restarting.is_empty() {
        let names = listed(&restarts.restarting);
        let (truth, reason, message) = if waited > PATIENCE {
            let message = format!(
                "restarted, and not healthy since {since}: {names}; {left} more wait until this is mended{}",
                by_hand(&restarts.restarting)
            );
            (Truth::False, Reason::RestartsHeld, message)
        } else {
            let message = format!("being restarted: {names}; {left} more follow");
            (Truth::Unknown, Reason::RestartsProgressing, message)
        };
        tell(status, truth, reason, message, now);
        return Some(Again::Soon);
    }
    let Some(laggards) = last_look.filter(|_| left == 0) else {
        restarts.restarting_since = restarts.restarting_since.take().filter(|_| left == 0);
        return Some(Again::Later);
    };
    if !laggards.is_empty() {
        let (truth, reason, message) = laggards.verdict(waited, PATIENCE);
        tell(status, truth, reason, message, now);
        return Some(Again::Later);
    }
    let message = done(restarts);
    status.restarts = None;
    tell(
        status,
        Truth::True,
        Reason::ConsumersRestarted,
        message,
        now,
    );
    None
}

fn done(restarts: &Restarts) -> String {
    let revision = restarts.revision;
    let mut message = match restarts.restarted {
        0 => format!("no workload needed a restart for revision {revision}"),
        count => format!("restarted for revision {revision} and healthy: {count} workloads"),
    };
    if restarts.gone > 0 {
        let gone = format!("; gone before they were healthy: {}", restarts.gone);
        message.push_str(&gone);
    }
    message
}

/// Says what stands in the way.
pub fn hindered(status: &mut StaticAwsCredentialsStatus, why: &Hindrance, now: Timestamp) {
    let (truth, reason, message) = match why {
        Hindrance::NotAllowed => (
            Truth::Unknown,
            Reason::RestartsNotAllowed,
            "workloads may not be read and changed, so none is restarted; restart them yourself, or let the \
             operator do it, as the chart does with rotation.restart.enabled"
                .to_owned(),
        ),
        Hindrance::Unguarded(why) => (Truth::Unknown, Reason::PoliciesMissing, why.clone()),
        Hindrance::PodsNotListed => (
            Truth::Unknown,
            Reason::RestartsNotAllowed,
            "workloads were restarted, and pods may not be listed, so it is not known whether pods from before the \
             pair still run; let the operator list pods, as the chart does with rotation.restart.enabled"
                .to_owned(),
        ),
        Hindrance::Refused(name, words) => (
            Truth::False,
            Reason::RestartsHeld,
            format!("the API server refuses to restart {name}: {words}"),
        ),
        Hindrance::Missing(names) => (
            Truth::False,
            Reason::RestartsHeld,
            format!(
                "not there: {}; create what is missing, or take it out of spec.rotation.restart.workloads",
                listed(names)
            ),
        ),
    };
    tell(status, truth, reason, message, now);
}

/// Says that nothing is restarted while the resource is not Ready.
pub fn waits(status: &mut StaticAwsCredentialsStatus, now: Timestamp) {
    let message = "workloads are restarted when the resource is Ready".to_owned();
    tell(
        status,
        Truth::Unknown,
        Reason::RestartsPending,
        message,
        now,
    );
}

/// Whether something is to be restarted, or awaited.
#[must_use]
pub fn is_open(status: &StaticAwsCredentialsStatus) -> bool {
    status.restarts.is_some()
}

/// Whether pods that start get the source's pair, proven.
#[must_use]
pub fn may_go_on(status: &StaticAwsCredentialsStatus) -> bool {
    conditions::is_true(&status.conditions, ConditionType::Ready)
}

fn listed(names: &[String]) -> String {
    words(names, names.len())
}

fn tell(
    status: &mut StaticAwsCredentialsStatus,
    truth: Truth,
    reason: Reason,
    message: String,
    now: Timestamp,
) {
    say(
        status,
        RESTARTED,
        truth,
        &Finding::new(reason, message),
        now,
    );
}
