//! Which pods started before a pair could reach them, grouped by owner.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

use super::{Pod, Publication, ReloadMode, reload_mode, restart::is_selected};
use crate::api::{Restart, RestartScope, WorkloadReference};

/// The pods of one owner that a restart concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// Pods that started before the pair could reach them, and do not reload by themselves.
    pub older: usize,
    /// Pods that started later.
    pub newer: usize,
}

/// The pods of a namespace that restarts for a pair concern, by owner, such as `Deployment/orders`.
#[derive(Clone, Debug, Default)]
pub struct Fleets(BTreeMap<String, Pods>);

/// Whether a pod started before a pair could reach it, or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Older,
    Newer,
}

impl Fleets {
    /// Counts a pod that uses the target, or that belongs to a workload named in the spec.
    pub fn add(&mut self, pod: &Pod, wanted: &Restart, publication: Publication<'_>) {
        let owner = pod.owner();
        let secret = &publication.published.secret_name;
        let is_named = wanted.scope == RestartScope::Workloads && is_selected(&owner, wanted);
        if !uses(pod, secret) && !is_named {
            return;
        }
        let Some(age) = age(pod, publication) else {
            return;
        };
        let pods = self.0.entry(owner).or_default();
        match age {
            Age::Older => pods.older += 1,
            Age::Newer => pods.newer += 1,
        }
    }

    /// The pods of an owner.
    #[must_use]
    pub fn of(&self, owner: &str) -> Pods {
        self.0.get(owner).copied().unwrap_or_default()
    }

    /// Whether the workload has pods, and all of them started after the pair reached every pod that starts.
    #[must_use]
    pub fn restarted_by_itself(&self, owner: &str) -> bool {
        let pods = self.of(owner);
        pods.older == 0 && pods.newer > 0
    }

    /// The owners of older pods that are workloads of a kind that can be restarted.
    pub fn due(&self) -> impl Iterator<Item = WorkloadReference> {
        self.older()
            .filter_map(|owner| WorkloadReference::parse(owner))
    }

    /// The owners of older pods.
    pub fn older(&self) -> impl Iterator<Item = &String> {
        let older = self.0.iter().filter(|(_, pods)| pods.older > 0);
        older.map(|(owner, _)| owner)
    }

    /// The owners of older pods that the wanted restarts cover.
    #[must_use]
    pub fn left(&self, wanted: &Restart) -> Vec<String> {
        let selected = self.older().filter(|owner| is_selected(owner, wanted));
        selected.cloned().collect()
    }
}

/// Whether a pod started before a pair could reach it, and does not reload by itself.
#[must_use]
pub fn is_older(pod: &Pod, publication: Publication<'_>) -> bool {
    age(pod, publication) == Some(Age::Older)
}

/// The age of a running pod. A pod that uses the Secret and reloads by itself has none.
fn age(pod: &Pod, publication: Publication<'_>) -> Option<Age> {
    let secret = &publication.published.secret_name;
    let since = publication.propagated_at();
    let mut running = pod.running().peekable();
    if pod.has_ended() {
        return None;
    }
    let older = if publication.made(pod) {
        false
    } else if uses(pod, secret) {
        match reload_mode(pod, secret, since) {
            Some(ReloadMode::NeedsRestart) => true,
            Some(ReloadMode::Reloads | ReloadMode::Unknown) => return None,
            None => false,
        }
    } else {
        pod.running()
            .any(|(_, started)| started.is_none_or(|started| started.0 <= since))
    };
    match (older, running.peek()) {
        (true, _) => Some(Age::Older),
        (false, Some(_)) => Some(Age::Newer),
        (false, None) => None,
    }
}

fn uses(pod: &Pod, secret: &str) -> bool {
    reload_mode(pod, secret, Timestamp::MAX).is_some()
}
