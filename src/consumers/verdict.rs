//! What is said of a superseded key, given the pods that may hold it.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::jiff::Timestamp;

use super::{
    Again, Holder, Pickup, is_open,
    overlap::{IN_USE, say},
};
use crate::{
    api::{ConsumerGroup, Consumers, MOST_NAMES, Previous, Reason, StaticAwsCredentialsStatus},
    conditions::Truth,
    verdict::Finding,
};

const NAMED: usize = 10;
/// Where the superseded pair may be as well.
const NOT_LOOKED_AT: &str = "other resources that publish the same key, PersistentVolumes, copies that programs \
                             made, other clusters";

/// What is known of the consumers.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The status with it.
    pub status: StaticAwsCredentialsStatus,
    /// When to look again, if at all.
    pub again: Option<Again>,
}

/// What the pods of the namespace tell.
#[must_use]
pub fn judge(
    status: &StaticAwsCredentialsStatus,
    holders: &[Holder],
    now: Timestamp,
) -> Option<Outlook> {
    let previous = is_open(status)?;
    let consumers = consumers(holders);
    let left = previous.picked_up_time.0.duration_since(now);
    let sight = Sight {
        status,
        previous,
        consumers: &consumers,
        holders,
        clock_runs: left.is_positive(),
    };
    let (truth, finding) = sight.verdict();
    let again = match finding.reason {
        Reason::PreviousKeyUnused | Reason::ConsumersNotTraced => None,
        Reason::ConsumersPickingUp => {
            // Times in a status have no fractions.
            let left = Duration::try_from(left).unwrap_or_default();
            Some(Again::In(left + Duration::from_secs(1)))
        }
        _ => Some(Again::Later),
    };
    let safe = matches!(
        finding.reason,
        Reason::PreviousKeyUnused | Reason::ConsumersPickingUp
    );
    let mut status = status.clone();
    status.previous_key_safe_after = safe.then(|| previous.picked_up_time.clone());
    status.consumers = Some(consumers);
    say(&mut status, IN_USE, truth, &finding, now);
    Some(Outlook { status, again })
}

/// The API server does not let the operator see the pods.
#[must_use]
pub fn unlisted(status: &StaticAwsCredentialsStatus, now: Timestamp) -> Option<Outlook> {
    let previous = is_open(status)?;
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

/// What a verdict is made from.
struct Sight<'a> {
    status: &'a StaticAwsCredentialsStatus,
    previous: &'a Previous,
    consumers: &'a Consumers,
    holders: &'a [Holder],
    clock_runs: bool,
}

impl Sight<'_> {
    fn verdict(&self) -> (Truth, Finding) {
        let key = format!("the key that ends in {}", self.previous.key_id_suffix);
        let (restart, unknown) = (&self.consumers.restart_needed, &self.consumers.unknown);
        let (truth, reason, message) = if restart.count > 0 {
            let message = format!(
                "{key} is held by pods that read it at their start alone; restart {}{}",
                listed(restart),
                self.move_to_the_present_name()
            );
            (Truth::True, Reason::ConsumersHoldPreviousKey, message)
        } else if unknown.count > 0 {
            let message = format!(
                "{key} may be held by pods that are not ready; look at {}",
                listed(unknown)
            );
            (Truth::Unknown, Reason::ConsumersUnknown, message)
        } else if self.clock_runs {
            let message = format!(
                "{key} may be held until {}, by when every pod has read its successor",
                self.previous.picked_up_time.0
            );
            (Truth::Unknown, Reason::ConsumersPickingUp, message)
        } else if self.previous.secret_names.len() >= MOST_NAMES {
            let message = format!(
                "no pod of this namespace that uses {} holds {key} any more, and names that the target had before \
                 these are not known; look for pods that use one of those, see in IAM that the key was not used \
                 since, and deactivate it",
                self.secrets()
            );
            (Truth::Unknown, Reason::ConsumersNotTraced, message)
        } else {
            let message = format!(
                "no pod of this namespace that uses {} holds {key} any more; not looked at: {NOT_LOOKED_AT}; see in \
                 IAM that it was not used since, deactivate it, and delete it later",
                self.secrets()
            );
            (Truth::False, Reason::PreviousKeyUnused, message)
        };
        (truth, Finding::new(reason, message))
    }

    /// A restart alone gives nothing newer to a pod that uses a former name.
    fn move_to_the_present_name(&self) -> String {
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
            ", and let those that use Secret {former}, which is published no more, use {present}"
        )
    }

    /// Every Secret whose pods were looked at.
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
    words(&group.names, count)
}

/// The first names, and how many more there are.
pub(super) fn words(names: &[String], count: usize) -> String {
    let shown = names.get(..NAMED).unwrap_or(names);
    let text = shown.join(", ");
    match count.checked_sub(shown.len()) {
        Some(more) if more > 0 => format!("{text} and {more} more"),
        _ => text,
    }
}
