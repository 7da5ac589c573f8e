//! What is reported of a rotation until the superseded key may be deactivated.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The pair that was superseded last.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// Last four characters of its access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
    /// When the target got another pair in its place.
    pub superseded_time: Time,
    /// By when consumers that read the target again by themselves have done so.
    pub picked_up_time: Time,
}

/// Pods that use the target and may still hold the superseded pair.
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

fn names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 10,
        "x-kubernetes-list-type": "atomic",
        "items": {
            "description": "Name of a pod.",
            "type": "string",
            "maxLength": 253,
        },
    })
}
