//! The verdict on a previous key, given the pods that may hold it.

use std::time::Duration;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::{
    OldKeyHolder, Others, Own, Recheck, Relation, ReloadMode, is_open,
    messages::VerdictInput,
    names::MAX_NAMED,
    overlap::{IN_USE, set_condition},
};
use crate::{
    api::{ConsumerGroup, Consumers, Previous, Reason, StaticAwsCredentialsStatus},
    domain::{conditions::ConditionStatus, verdict::Finding},
};

/// The result of a check of the consumers.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The status with the result.
    pub status: StaticAwsCredentialsStatus,
    /// When to check again, if at all.
    pub again: Option<Recheck>,
}

/// The verdict by the pods of the namespace and by other resources with the same key.
#[must_use]
pub fn judge(
    status: &StaticAwsCredentialsStatus,
    holders: &[OldKeyHolder],
    others: &Others,
    now: Timestamp,
) -> Option<Assessment> {
    assess(status, consumers(holders), holders, others, now)
}

/// The verdict by other resources with the same key, after a check that found no pod with it.
#[must_use]
pub fn judge_again(
    status: &StaticAwsCredentialsStatus,
    others: &Others,
    now: Timestamp,
) -> Option<Assessment> {
    let consumers = status.consumers.clone().unwrap_or_default();
    assess(status, consumers, &[], others, now)
}

/// The result of a check of pods. Pods that reload by themselves have done so by the pick-up time.
#[must_use]
pub fn own(holders: &[OldKeyHolder], previous: &Previous, now: Timestamp) -> Own {
    let worst = holders.iter().map(|holder| holder.reload_mode).max();
    match worst {
        Some(ReloadMode::NeedsRestart) => Own::Held,
        Some(ReloadMode::Unknown) => Own::Unsure,
        Some(ReloadMode::Reloads) | None => Own::Clean {
            settled: now >= previous.picked_up_time.0,
        },
    }
}

fn assess(
    status: &StaticAwsCredentialsStatus,
    mut consumers: Consumers,
    holders: &[OldKeyHolder],
    others: &Others,
    now: Timestamp,
) -> Option<Assessment> {
    let previous = is_open(status)?;
    consumers.other_resources = others.names();
    let safe_after = picked_up(previous, others);
    let remaining = safe_after.duration_since(now);
    let input = VerdictInput {
        status,
        previous,
        consumers: &consumers,
        holders,
        others,
        waits_until: remaining.is_positive().then_some(safe_after),
    };
    let (truth, finding) = input.verdict();
    let again = match finding.reason {
        Reason::PreviousKeyUnused | Reason::ConsumersNotTraced => None,
        Reason::ConsumersPickingUp => {
            // Times in a status have no fractions.
            let remaining = Duration::try_from(remaining).unwrap_or_default();
            Some(Recheck::In(remaining + Duration::from_secs(1)))
        }
        _ => Some(Recheck::Later),
    };
    let is_safe = matches!(
        finding.reason,
        Reason::PreviousKeyUnused | Reason::ConsumersPickingUp
    );
    let mut status = status.clone();
    status.previous_key_safe_after = is_safe.then_some(Time(safe_after));
    status.consumers = Some(consumers);
    set_condition(&mut status, IN_USE, truth, &finding, now);
    Some(Assessment { status, again })
}

/// By when the pods of all resources with the key have read its successor.
fn picked_up(previous: &Previous, others: &Others) -> Timestamp {
    let own = previous.picked_up_time.0;
    match others.worst() {
        Relation::PickingUp(until) => Timestamp::from_second(until).map_or(own, |at| at.max(own)),
        _ => own,
    }
}

/// The verdict if the API server does not let the operator list the pods.
#[must_use]
pub fn unlisted(status: &StaticAwsCredentialsStatus, now: Timestamp) -> Option<Assessment> {
    let previous = is_open(status)?;
    let message = format!(
        "the operator is not allowed to list pods, so it is unknown which pods hold the key that ends in {}; allow it \
         in this namespace, as the chart does with rotation.consumers.enabled",
        previous.key_id_suffix
    );
    let mut status = status.clone();
    status.consumers = None;
    status.previous_key_safe_after = None;
    let finding = Finding::new(Reason::ConsumersNotListed, message);
    set_condition(&mut status, IN_USE, ConditionStatus::Unknown, &finding, now);
    let again = Some(Recheck::Later);
    Some(Assessment { status, again })
}

fn consumers(holders: &[OldKeyHolder]) -> Consumers {
    let group = |wanted: ReloadMode| {
        let members = holders.iter().filter(|holder| holder.reload_mode == wanted);
        let mut names: Vec<String> = members.map(|holder| holder.name.clone()).collect();
        let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
        names.sort_unstable();
        names.truncate(MAX_NAMED);
        ConsumerGroup { count, names }
    };
    Consumers {
        hot: group(ReloadMode::Reloads),
        restart_needed: group(ReloadMode::NeedsRestart),
        unknown: group(ReloadMode::Unknown),
        other_resources: Vec::new(),
    }
}
