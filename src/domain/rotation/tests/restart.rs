//! Restarts of workloads: the revision that requires them, their order, and the condition that reports them.

mod begin;
mod progress;
mod selection;

use crate::{
    api::{ConditionType, Published, Restart, Restarts, StaticAwsCredentialsStatus},
    domain::{
        conditions,
        rotation::{Laggards, restart},
    },
};
use serde_json::json;

use super::{KUBELET, PUBLISHED, time};

fn published(revision: i64) -> Published {
    serde_json::from_value(json!({
        "secretName": "orders-credentials", "uid": "u", "resourceVersion": "1",
        "keyIdSuffix": "L2B4", "revision": revision, "time": PUBLISHED,
    }))
    .unwrap()
}

fn status(revision: i64) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        published: Some(published(revision)),
        ..StaticAwsCredentialsStatus::default()
    }
}

fn restart_policy() -> Restart {
    serde_json::from_value(json!({ "scope": "Consumers" })).unwrap()
}

/// The status after a reconcile that published this revision in place of the previous one.
fn after_publication(
    before: &StaticAwsCredentialsStatus,
    revision: i64,
) -> StaticAwsCredentialsStatus {
    let mut after = StaticAwsCredentialsStatus {
        published: Some(published(revision)),
        ..before.clone()
    };
    restart::note(
        before,
        &mut after,
        Some(&restart_policy()),
        true,
        KUBELET,
        time(PUBLISHED),
    );
    after
}

fn condition(status: &StaticAwsCredentialsStatus) -> (&str, &str, &str) {
    let kind = ConditionType::ConsumersRestarted;
    let condition = conditions::find(&status.conditions, kind).unwrap();
    (&condition.status, &condition.reason, &condition.message)
}

fn has_condition(status: &StaticAwsCredentialsStatus) -> bool {
    conditions::find(&status.conditions, ConditionType::ConsumersRestarted).is_some()
}

/// The last check found no workload to restart.
const NONE: Option<&Laggards> = Some(&Laggards {
    unmarked: Vec::new(),
    rolling: Vec::new(),
    others: Vec::new(),
});

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn under_way(restarting: &[&str], pending: Option<&[&str]>) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        restarts: Some(Restarts {
            revision: 2,
            pending: pending.map(names),
            restarting: names(restarting),
            restarting_since: None,
            restarted: 4,
            gone: 0,
        }),
        ..status(2)
    }
}
