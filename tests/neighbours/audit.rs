//! The writes of each account, from the API server's audit log.

use std::path::Path;

use anyhow::{Context, Result};
use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;

/// Resources over which two operators could conflict. Leases, events and their own kinds are ignored.
const RESOURCES: [&str; 6] = [
    "secrets",
    "staticawscredentials",
    "deployments",
    "statefulsets",
    "daemonsets",
    "replicasets",
];
const VERBS: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// A write request to the API server.
#[derive(Clone, Debug)]
pub struct Write {
    pub at: Timestamp,
    pub user: String,
    pub namespace: String,
    /// Verb, resource and name, for error messages.
    #[allow(dead_code, reason = "it is shown where there is no rest")]
    pub what: String,
    pub is_refused: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    verb: String,
    user: User,
    object_ref: Option<Object>,
    response_status: Option<Status>,
    request_received_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct Object {
    resource: String,
    namespace: String,
    name: String,
    subresource: String,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

/// All writes so far.
pub fn writes(log: &Path) -> Result<Vec<Write>> {
    let text = std::fs::read_to_string(log)?;
    let mut writes = Vec::new();
    for line in text.lines() {
        // The last line may be incomplete.
        let Ok(entry) = serde_json::from_str::<Entry>(line) else {
            continue;
        };
        let (Some(object), true) = (entry.object_ref, VERBS.contains(&entry.verb.as_str())) else {
            continue;
        };
        if RESOURCES.contains(&object.resource.as_str()) {
            let code = entry.response_status.context("no answer")?.code;
            writes.push(Write {
                at: entry.request_received_timestamp,
                user: entry.user.username,
                namespace: object.namespace,
                what: format!(
                    "{} {}/{} {}",
                    entry.verb, object.resource, object.name, object.subresource
                ),
                is_refused: code >= 400,
            });
        }
    }
    Ok(writes)
}
