//! The part of the status that covers a rotation, until the superseded key may be deactivated.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The most workloads that one rotation restarts.
pub const MOST_WORKLOADS: usize = 1000;
/// The most names of a target that are tracked. A list of this length may be incomplete.
pub const MOST_NAMES: usize = 8;
/// The most keys before the last superseded one that are tracked. A list of this length may be incomplete.
pub const MOST_OLDER_KEYS: usize = 4;

/// The pair that was superseded last.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// Last four characters of the access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
    /// Value of `status.published.keyDigest` while the pair was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_digest: Option<String>,
    /// Up to eight names of the target under which this pair, or an older one that pods could still hold, was
    /// published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names_before")]
    pub secret_names: Vec<String>,
    /// Up to four keys that were superseded before this one and that pods could still hold, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub older_keys: Vec<OlderKey>,
    /// When the target got another pair under its present name.
    pub superseded_time: Time,
    /// Time by which consumers that reload the target by themselves have done so.
    pub picked_up_time: Time,
}

/// A key that was superseded before the last one and that pods could still hold.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OlderKey {
    /// Last four characters of the access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
    /// Value of `status.published.keyDigest` while the pair was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_digest: Option<String>,
}

/// Pods in the namespace of the resource that use source or target and may still hold a superseded pair.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumers {
    /// Pods that reload the target by themselves.
    #[serde(default)]
    pub hot: ConsumerGroup,
    /// Pods that read the target only when they start.
    #[serde(default)]
    pub restart_needed: ConsumerGroup,
    /// Pods that should reload the target but are not ready, so that it is unknown whether they do.
    #[serde(default)]
    pub unknown: ConsumerGroup,
    /// Up to ten other resources, as namespace/name, that publish a superseded key or whose pods may hold it. Their
    /// pods are counted in their own status, not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "resources")]
    pub other_resources: Vec<String>,
}

/// A group of pods.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerGroup {
    /// Number of pods.
    pub count: i64,
    /// Names of up to ten of these pods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names")]
    pub names: Vec<String>,
}

/// Restarts of workloads after a rotation, until all are done.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restarts {
    /// Revision of the pair that causes the restarts.
    pub revision: i64,
    /// Workloads that are not restarted yet, such as `Deployment/orders`. Absent until they are looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "workloads")]
    pub pending: Option<Vec<String>>,
    /// Workloads that were restarted and are not healthy yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "workloads")]
    pub restarting: Vec<String>,
    /// When the wait for `restarting` began or, after the last of these workloads, the wait for older pods to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarting_since: Option<Time>,
    /// Number of workloads that were restarted and became healthy.
    #[serde(default)]
    pub restarted: i64,
    /// Number of workloads that were restarted and deleted before they became healthy.
    #[serde(default, skip_serializing_if = "is_none")]
    pub gone: i64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_none(count: &i64) -> bool {
    *count == 0
}

fn workloads(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": MOST_WORKLOADS,
        "x-kubernetes-list-type": "atomic",
        "items": {
            "description": "Kind and name of a workload.",
            "type": "string",
            "maxLength": 265,
        },
    })
}

fn names(_: &mut SchemaGenerator) -> Schema {
    list("Name of a pod.", 10, 253)
}

fn resources(_: &mut SchemaGenerator) -> Schema {
    list("Namespace and name of a resource.", 10, 317)
}

fn names_before(_: &mut SchemaGenerator) -> Schema {
    list("Name of a Secret.", MOST_NAMES, 253)
}

pub(super) fn former_names(_: &mut SchemaGenerator) -> Schema {
    list("Name of a Secret.", MOST_NAMES - 1, 253)
}

fn list(description: &str, most_items: usize, most_characters: usize) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": most_items,
        "x-kubernetes-list-type": "atomic",
        "items": {
            "description": description,
            "type": "string",
            "maxLength": most_characters,
        },
    })
}
