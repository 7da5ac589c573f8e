//! From the moment that a pair is superseded to the one when nobody holds it any more.

use std::time::Duration;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use super::{Again, Pickup, Pod, pickup};
use crate::{
    api::{
        ConditionType, ConsumerGroup, Consumers, Previous, Published, Reason,
        StaticAwsCredentialsStatus,
    },
    conditions::{self, Truth},
    verdict::Finding,
};

/// Requests and repetitions that were signed before.
const UNDER_WAY: Duration = Duration::from_mins(1);
const NAMED: usize = 10;
/// Where the superseded pair may be as well.
const NOT_LOOKED_AT: &str = "other resources that publish the same key, earlier names of the target, PersistentVolumes, \
                             copies that programs made, other clusters";
const IN_USE: ConditionType = ConditionType::PreviousKeyInUse;

/// A pod that may hold the superseded pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Its name.
    pub name: String,
    /// How it comes by the present pair.
    pub pickup: Pickup,
}

/// What is known of the consumers.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The status with it.
    pub status: StaticAwsCredentialsStatus,
    /// When to look again, if at all.
    pub again: Option<Again>,
}

/// Takes note of it in the status after a run if the pair was superseded in that run.
pub fn note(
    before: &StaticAwsCredentialsStatus,
    after: &mut StaticAwsCredentialsStatus,
    kubelet: Duration,
    now: Timestamp,
) {
    let Some(published) = &after.published else {
        forget(after);
        return;
    };
    let Some(superseded) = before.published.as_ref().filter(|before| {
        before.revision != published.revision && before.key_id_suffix != published.key_id_suffix
    }) else {
        return;
    };
    let previous = Previous {
        key_id_suffix: superseded.key_id_suffix.clone(),
        superseded_time: published.time.clone(),
        picked_up_time: Time(picked_up(superseded, published, kubelet)),
    };
    let message = format!(
        "the key that ends in {} was superseded; pods that start before {} may still get it, and who holds it is \
         looked up then",
        previous.key_id_suffix,
        delivered(published, kubelet)
    );
    let finding = Finding::new(Reason::ConsumersPickingUp, message);
    after.previous = Some(previous);
    after.consumers = None;
    after.previous_key_safe_after = None;
    say(after, IN_USE, Truth::Unknown, &finding, now);
}

/// Nothing is said of consumers any more.
pub fn forget(status: &mut StaticAwsCredentialsStatus) {
    status.previous = None;
    status.consumers = None;
    status.previous_key_safe_after = None;
    unsay(status, IN_USE);
}

/// Whoever read the old pair keeps it for as long as the file said that named the helper, or says since.
/// Rounded up to the minute, for people.
fn picked_up(superseded: &Published, published: &Published, kubelet: Duration) -> Timestamp {
    let ttls = [superseded, published].map(|one| one.credential_process_ttl_seconds);
    let ttl = ttls.into_iter().flatten().max().unwrap_or_default();
    let start = published.time.0;
    let at = start
        .as_second()
        .saturating_add(seconds(kubelet.saturating_add(UNDER_WAY)))
        .saturating_add(ttl);
    let minute = at.div_euclid(60) + i64::from(at.rem_euclid(60) > 0);
    Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(start)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The pair that was superseded and may still be in use, and what took its place.
#[must_use]
pub fn is_open(status: &StaticAwsCredentialsStatus) -> Option<(&Previous, &Published)> {
    let condition = conditions::find(&status.conditions, ConditionType::PreviousKeyInUse)?;
    let open = condition.status != Truth::False.as_str();
    status
        .previous
        .as_ref()
        .zip(status.published.as_ref())
        .filter(|_| open)
}

/// By when every pod that starts gets what was published. The kubelet puts another content into the pods of its node
/// within its period.
#[must_use]
pub fn delivered(published: &Published, kubelet: Duration) -> Timestamp {
    let time = published.time.0;
    time.checked_add(kubelet).unwrap_or(time)
}

/// What a pod is to a Secret that was published.
#[must_use]
pub fn holder(pod: &Pod, published: &Published, kubelet: Duration) -> Option<Holder> {
    let pickup = pickup(pod, &published.secret_name, delivered(published, kubelet))?;
    let name = pod.metadata.name.clone().unwrap_or_default();
    Some(Holder { name, pickup })
}

/// What the pods of the namespace tell.
#[must_use]
pub fn judge(
    status: &StaticAwsCredentialsStatus,
    holders: &[Holder],
    now: Timestamp,
) -> Option<Outlook> {
    let (previous, published) = is_open(status)?;
    let consumers = consumers(holders);
    let left = previous.picked_up_time.0.duration_since(now);
    let secret = &published.secret_name;
    let (truth, finding) = verdict(previous, secret, &consumers, left.is_positive());
    let again = match truth {
        Truth::False => None,
        _ if finding.reason == Reason::ConsumersPickingUp => {
            // Times in a status have no fractions.
            let left = Duration::try_from(left).unwrap_or_default();
            Some(Again::In(left + Duration::from_secs(1)))
        }
        _ => Some(Again::Later),
    };
    let held = matches!(
        finding.reason,
        Reason::ConsumersHoldPreviousKey | Reason::ConsumersUnknown
    );
    let mut status = status.clone();
    status.previous_key_safe_after = (!held).then(|| previous.picked_up_time.clone());
    status.consumers = Some(consumers);
    say(&mut status, IN_USE, truth, &finding, now);
    Some(Outlook { status, again })
}

/// The API server does not let the operator see the pods.
#[must_use]
pub fn unlisted(status: &StaticAwsCredentialsStatus, now: Timestamp) -> Option<Outlook> {
    let (previous, _) = is_open(status)?;
    let message = format!(
        "pods may not be listed, so nobody can say who holds the key that ends in {}; let the operator list \
         pods in this namespace, as the chart does with rotation.consumers.enabled",
        previous.key_id_suffix
    );
    let mut status = status.clone();
    status.consumers = None;
    status.previous_key_safe_after = None;
    let finding = Finding::new(Reason::ConsumersNotListed, message);
    say(&mut status, IN_USE, Truth::Unknown, &finding, now);
    let again = Some(Again::Later);
    Some(Outlook { status, again })
}

fn consumers(holders: &[Holder]) -> Consumers {
    let group = |wanted: Pickup| {
        let of_group = holders.iter().filter(|holder| holder.pickup == wanted);
        let mut names: Vec<String> = of_group.map(|holder| holder.name.clone()).collect();
        let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
        names.sort_unstable();
        names.truncate(NAMED);
        ConsumerGroup { count, names }
    };
    Consumers {
        hot: group(Pickup::Hot),
        restart_needed: group(Pickup::RestartNeeded),
        unknown: group(Pickup::Unknown),
    }
}

fn verdict(
    previous: &Previous,
    secret: &str,
    consumers: &Consumers,
    clock_runs: bool,
) -> (Truth, Finding) {
    let key = format!("the key that ends in {}", previous.key_id_suffix);
    let (restart, unknown) = (&consumers.restart_needed, &consumers.unknown);
    if restart.count > 0 {
        let names = listed(restart);
        let message =
            format!("{key} is held by pods that read it at their start alone; restart {names}");
        return (
            Truth::True,
            Finding::new(Reason::ConsumersHoldPreviousKey, message),
        );
    }
    if unknown.count > 0 {
        let names = listed(unknown);
        let message = format!("{key} may be held by pods that are not ready; look at {names}");
        return (
            Truth::Unknown,
            Finding::new(Reason::ConsumersUnknown, message),
        );
    }
    if clock_runs {
        let message = format!(
            "{key} may be held until {}, by when every pod has read its successor",
            previous.picked_up_time.0
        );
        return (
            Truth::Unknown,
            Finding::new(Reason::ConsumersPickingUp, message),
        );
    }
    let message = format!(
        "no pod of this namespace that uses Secret \"{secret}\" holds {key} any more; not looked at: \
         {NOT_LOOKED_AT}; see in IAM that it was not used since, deactivate it, and delete it later"
    );
    (
        Truth::False,
        Finding::new(Reason::PreviousKeyUnused, message),
    )
}

fn listed(group: &ConsumerGroup) -> String {
    let count = usize::try_from(group.count).unwrap_or_default();
    words(&group.names, count)
}

/// The first names of so many.
pub(super) fn words(names: &[String], count: usize) -> String {
    let shown = names.get(..NAMED).unwrap_or(names);
    let text = shown.join(", ");
    match count.checked_sub(shown.len()) {
        Some(more) if more > 0 => format!("{text} and {more} more"),
        _ => text,
    }
}

/// Takes a condition of the consumers away.
pub(super) fn unsay(status: &mut StaticAwsCredentialsStatus, kind: ConditionType) {
    let kind = kind.as_str();
    status
        .conditions
        .retain(|condition| condition.type_ != kind);
}

/// Sets a condition of the consumers.
pub(super) fn say(
    status: &mut StaticAwsCredentialsStatus,
    kind: ConditionType,
    truth: Truth,
    finding: &Finding,
    now: Timestamp,
) {
    let new = conditions::condition(&status.conditions, kind, truth, finding, now);
    let same = |condition: &&mut Condition| condition.type_ == kind.as_str();
    match status.conditions.iter_mut().find(same) {
        Some(old) => *old = new,
        None => status.conditions.push(new),
    }
}
