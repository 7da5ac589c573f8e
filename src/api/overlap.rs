//! What is reported of a rotation until the superseded key may be deactivated.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How many workloads one rotation restarts.
pub const MOST_WORKLOADS: usize = 1000;
/// How many names of a target are followed. A list of this length may lack further ones.
pub const MOST_NAMES: usize = 8;
/// How many keys before the last superseded one are followed. A list of this length may lack further ones.
pub const MOST_OLDER_KEYS: usize = 4;

/// The pair that was superseded last.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// Last four characters of its access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
    /// What `status.published.keyDigest` was while it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_digest: Option<String>,
    /// The names of the target under which it was published, up to eight, and those of older keys that pods could
    /// still hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names_before")]
    pub secret_names: Vec<String>,
    /// Keys that were superseded before it, while pods could still hold them: the last four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub older_keys: Vec<OlderKey>,
    /// When the target got another pair in its place, under its present name.
    pub superseded_time: Time,
    /// By when consumers that read the target again by themselves have done so.
    pub picked_up_time: Time,
}

/// A key that was superseded before the last one, while pods could still hold it.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OlderKey {
    /// Last four characters of its access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
    /// What `status.published.keyDigest` was while it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_digest: Option<String>,
}

/// Pods of the resource's namespace that use the target and may still hold a superseded pair.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumers {
    /// They read the target again by themselves.
    #[serde(default)]
    pub hot: ConsumerGroup,
    /// They read it when they start, and not again.
    #[serde(default)]
    pub restart_needed: ConsumerGroup,
    /// They would read it again, and are not ready, so nobody can say whether they do.
    #[serde(default)]
    pub unknown: ConsumerGroup,
    /// Other resources, as namespace/name, that publish a superseded key, or whose pods may hold it: up to ten. Their
    /// pods are not counted here, but in their own status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "resources")]
    pub other_resources: Vec<String>,
}

/// Pods of one kind.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerGroup {
    /// How many.
    pub count: i64,
    /// Names of up to ten of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "names")]
    pub names: Vec<String>,
}

/// Restarts after a rotation, until all are done.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restarts {
    /// The revision of the pair that they are for.
    pub revision: i64,
    /// Those whose turn has not come, such as `Deployment/orders`. Absent before they are looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "workloads")]
    pub pending: Option<Vec<String>>,
    /// Those that were restarted and are not healthy yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "workloads")]
    pub restarting: Vec<String>,
    /// Since when they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarting_since: Option<Time>,
    /// How many were restarted and are healthy.
    #[serde(default)]
    pub restarted: i64,
    /// How many were restarted and gone before they were healthy.
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
