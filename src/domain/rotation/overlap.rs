//! Names and times of a previous key pair, from its replacement until no pod holds it any more.

use std::time::Duration;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use super::{Pod, Publication, ReloadMode, reload_mode};
use crate::{
    api::{
        ConditionType, MOST_NAMES, MOST_OLDER_KEYS, OlderKey, Previous, Published, Reason,
        StaticAwsCredentialsStatus,
    },
    domain::{
        conditions::{self, ConditionStatus},
        verdict::Finding,
    },
};

/// Time for requests and retries that were signed before.
const IN_FLIGHT_GRACE: Duration = Duration::from_mins(1);
pub(super) const IN_USE: ConditionType = ConditionType::PreviousKeyInUse;

/// A pod that may hold the previous key pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OldKeyHolder {
    /// Its name.
    pub name: String,
    /// How the pod gets the present pair.
    pub reload_mode: ReloadMode,
    /// The target name that the pod uses and that is published no more.
    pub former: Option<String>,
}

/// Records the previous key pair in the status if this reconcile replaced the pair, or moved its replacement to
/// another name.
pub fn note(
    before: &StaticAwsCredentialsStatus,
    after: &mut StaticAwsCredentialsStatus,
    kubelet: Duration,
    now: Timestamp,
) {
    let open = is_open(before);
    let Some(published) = &after.published else {
        // A withdrawal takes the present pair from the pods; older pairs stay in them.
        if open.is_none() {
            forget(after);
        }
        return;
    };
    let superseded = before.published.as_ref();
    let superseded = superseded.filter(|superseded| supersedes(published, superseded));
    let previous = match (superseded, open) {
        (Some(superseded), open) => superseded_by(published, superseded, open, kubelet),
        (None, Some(open)) if is_elsewhere(before, published) => Previous {
            superseded_time: Time(now),
            picked_up_time: Time(reloaded_by(
                now,
                [before.published.as_ref(), Some(published)],
                kubelet,
            )),
            ..open.clone()
        },
        _ => return,
    };
    let message = format!(
        "the key that ends in {} was superseded; pods that start before {} may still get it, and the pods that \
         hold it are looked up then",
        previous.key_id_suffix,
        since(&previous, kubelet)
    );
    let finding = Finding::new(Reason::ConsumersPickingUp, message);
    after.previous = Some(previous);
    after.consumers = None;
    after.previous_key_safe_after = None;
    set_condition(after, IN_USE, ConditionStatus::Unknown, &finding, now);
}

/// The replaced pair as the previous one, with the names and keys before it that may still be held.
fn superseded_by(
    published: &Published,
    superseded: &Published,
    open: Option<&Previous>,
    kubelet: Duration,
) -> Previous {
    let at = published.time.0;
    let pairs = [Some(superseded), Some(published)];
    Previous {
        key_id_suffix: superseded.key_id_suffix.clone(),
        key_digest: superseded.key_digest.clone(),
        older_keys: older_keys(open, published),
        secret_names: names(superseded, open),
        superseded_time: Time(at),
        picked_up_time: Time(reloaded_by(at, pairs, kubelet)),
    }
}

/// An access key ID with the same suffix counts as the same: deactivating it would hit the published pair.
fn supersedes(published: &Published, before: &Published) -> bool {
    before.revision != published.revision && before.key_id_suffix != published.key_id_suffix
}

/// Whether the pair was published under another name before, or not at all.
fn is_elsewhere(before: &StaticAwsCredentialsStatus, published: &Published) -> bool {
    let before = before.published.as_ref();
    before.is_none_or(|before| before.secret_name != published.secret_name)
}

/// The names under which the previous pair was published, and names before it that pods may still use.
fn names(superseded: &Published, open: Option<&Previous>) -> Vec<String> {
    let present = std::iter::once(&superseded.secret_name);
    let former = present.chain(&superseded.former_secret_names);
    let older = open.into_iter().flat_map(|open| &open.secret_names);
    let mut names = Vec::new();
    for name in former.chain(older) {
        if names.len() < MOST_NAMES && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// The keys before the previous one that may still be held, without a key that is published again.
fn older_keys(open: Option<&Previous>, published: &Published) -> Vec<OlderKey> {
    let Some(open) = open else {
        return Vec::new();
    };
    let last = OlderKey {
        key_id_suffix: open.key_id_suffix.clone(),
        key_digest: open.key_digest.clone(),
    };
    let all = std::iter::once(last).chain(open.older_keys.iter().cloned());
    let older = all.filter(|key| key.key_id_suffix != published.key_id_suffix);
    older.take(MOST_OLDER_KEYS).collect()
}

/// Removes everything about a previous key pair from the status.
pub fn forget(status: &mut StaticAwsCredentialsStatus) {
    status.previous = None;
    status.consumers = None;
    status.previous_key_safe_after = None;
    remove_condition(status, IN_USE);
}

/// By when consumers that reload have done so: SDKs cache the old pair for the TTL in the old or the new config
/// file. Rounded up to the minute, for people.
fn reloaded_by(start: Timestamp, pairs: [Option<&Published>; 2], kubelet: Duration) -> Timestamp {
    let ttls = pairs.into_iter().flatten();
    let ttls = ttls.filter_map(|one| one.credential_process_ttl_seconds);
    let at = start
        .as_second()
        .saturating_add(seconds(kubelet.saturating_add(IN_FLIGHT_GRACE)))
        .saturating_add(ttls.max().unwrap_or_default());
    let minute = at.div_euclid(60) + i64::from(at.rem_euclid(60) > 0);
    Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(start)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The previous key pair that may still be in use, while further checks can find out more.
#[must_use]
pub fn is_open(status: &StaticAwsCredentialsStatus) -> Option<&Previous> {
    not_unused(status).filter(|_| !is_given_up(status))
}

/// The previous key pair, unless it was found unused.
pub(super) fn not_unused(status: &StaticAwsCredentialsStatus) -> Option<&Previous> {
    let condition = conditions::find(&status.conditions, IN_USE)?;
    let unused = condition.status == ConditionStatus::False.as_str();
    status.previous.as_ref().filter(|_| !unused)
}

/// Whether further checks can find out nothing more.
pub(super) fn is_given_up(status: &StaticAwsCredentialsStatus) -> bool {
    conditions::reason(&status.conditions, IN_USE) == Some(Reason::ConsumersNotTraced)
}

/// By when every pod that starts gets the published pair: the kubelet refreshes the volumes of its node within its
/// sync period.
#[must_use]
pub fn propagated_at(published: &Published, kubelet: Duration) -> Timestamp {
    later(published.time.0, kubelet)
}

/// By when every pod that starts gets a newer pair than the previous one under the present name of the target.
#[must_use]
pub fn since(previous: &Previous, kubelet: Duration) -> Timestamp {
    later(previous.superseded_time.0, kubelet)
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}

/// How a pod may hold the previous key pair: by a name under which it was published, or by the source. A former
/// name of the target gives a pod nothing newer, whenever the pod started.
#[must_use]
pub fn holder(
    pod: &Pod,
    previous: &Previous,
    publication: Option<Publication<'_>>,
    source: &str,
    kubelet: Duration,
) -> Option<OldKeyHolder> {
    let present = publication.map(|publication| publication.published.secret_name.as_str());
    let name = pod.metadata.name.clone().unwrap_or_default();
    let mut former = previous.secret_names.iter().filter(|name| {
        Some(name.as_str()) != present && reload_mode(pod, name, Timestamp::MAX).is_some()
    });
    if let Some(former) = former.next() {
        return Some(OldKeyHolder {
            name,
            reload_mode: ReloadMode::NeedsRestart,
            former: Some(former.clone()),
        });
    }
    // After a rename the pair reached the present name later than the restart annotation says.
    let superseding = publication.filter(|one| one.published.time.0 >= previous.superseded_time.0);
    if superseding.is_some_and(|publication| publication.made(pod)) {
        return None;
    }
    let since = since(previous, kubelet);
    let mode_of = |secret: &str| reload_mode(pod, secret, since);
    let reload_mode = mode_of(source).max(present.and_then(mode_of))?;
    Some(OldKeyHolder {
        name,
        reload_mode,
        former: None,
    })
}

pub(super) fn remove_condition(status: &mut StaticAwsCredentialsStatus, kind: ConditionType) {
    let kind = kind.as_str();
    status
        .conditions
        .retain(|condition| condition.type_ != kind);
}

pub(super) fn set_condition(
    status: &mut StaticAwsCredentialsStatus,
    kind: ConditionType,
    truth: ConditionStatus,
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
