//! The status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Consumers, Previous, Restarts};

/// Observed state. Of key material, it contains at most the last four characters of the access key ID.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticAwsCredentialsStatus {
    /// Generation of the spec that this status reflects; -1 before the first reconcile.
    #[serde(default)]
    pub observed_generation: i64,

    /// Ready, Verified and Published; Reconciling or Stalled only while True; `PreviousKeyInUse` and
    /// `ConsumersRestarted` after a rotation.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// Version of the source that the conditions reflect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceVersion>,

    /// Version of the class that the conditions reflect, if the spec names one that can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassVersion>,

    /// The target as it was last published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,

    /// Identity of the published pair, as returned by STS. A store names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,

    /// When STS, or the store of the class, last accepted the published pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_verified_time: Option<Time>,

    /// First rejection of the source's pair that may be temporary. The rejection counts after it has lasted for a
    /// minute, or for `settling` of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling: Option<Settling>,

    /// The pair that was superseded last, if the operator lists consumers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,

    /// Pods of this namespace that use the source, or the target by any name, and may still hold a superseded pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<Consumers>,

    /// Time from which no pod of a resource that had the superseded key holds it any more. Absent while pods must be
    /// restarted first, another resource publishes the key, or the time is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key_safe_after: Option<Time>,

    /// Restarts after the last rotation, until all are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Restarts>,

    /// The Secret to bind: makes this resource a Provisioned Service of the Service Binding specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// Version of the source.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceVersion {
    /// UID of the source.
    #[schemars(length(max = 128))]
    pub uid: String,
    /// Resource version of the source.
    #[schemars(length(max = 128))]
    pub resource_version: String,
}

/// Version of a class.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassVersion {
    /// Name of the class.
    #[schemars(length(max = 253))]
    pub name: String,
    /// UID of the class.
    #[schemars(length(max = 128))]
    pub uid: String,
    /// Generation of the class.
    pub generation: i64,
}

/// The target as it was last published.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Name of the target.
    #[schemars(length(max = 253))]
    pub secret_name: String,
    /// UID of the target.
    #[schemars(length(max = 128))]
    pub uid: String,
    /// Resource version of the target.
    #[schemars(length(max = 128))]
    pub resource_version: String,
    /// Last four characters of the published access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
    /// Hash of the pair, equal wherever the same pair is published. It does not reveal the pair, since the secret
    /// access key is part of the hash. Absent if the secret access key does not have the form of AWS and could be
    /// guessed, and in a status that an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_digest: Option<String>,
    /// Up to seven former names of the target under which the same pair was published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::overlap::former_names")]
    pub former_secret_names: Vec<String>,
    /// Digest of the target's data as published, salted with the UID of this resource. It reveals no value, and is
    /// absent if the secret access key does not have the form of AWS and could be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^[0-9a-f]{32}$"))]
    pub content_digest: Option<String>,
    /// Digest of the labels that were copied from this resource to the target, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^[0-9a-f]{32}$"))]
    pub labels_digest: Option<String>,
    /// Number of the published pair, counted from 1.
    pub revision: i64,
    /// When this pair was published.
    pub time: Time,
    /// How many seconds consumers of the layout `CredentialProcess` cache a pair; absent without that layout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_process_ttl_seconds: Option<i64>,
}

/// AWS identity of a pair.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// AWS account, 12 digits.
    #[schemars(length(max = 12), regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: String,
    /// ARN of the IAM user or root user.
    #[schemars(length(max = 2048))]
    pub arn: String,
}

/// A rejection by AWS that may be temporary.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settling {
    /// When AWS first rejected the pair.
    pub since: Time,
    /// Last four characters of the rejected access key ID.
    #[schemars(length(max = 4))]
    pub key_id_suffix: String,
}

/// The Secret that a Service Binding projects.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Name of the target.
    #[schemars(length(max = 253))]
    pub name: String,
}

/// The usual bounds and patterns of standard conditions, which the schema of the type lacks.
fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "items": {
            "type": "object",
            "description": "One aspect of the observed state, with its reason.",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "Type of the condition, in CamelCase.",
                    "type": "string",
                    "maxLength": 316,
                    "pattern": "^[A-Za-z][A-Za-z0-9]*$",
                },
                "status": {
                    "description": "True, False or Unknown.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                },
                "reason": {
                    "description": "Why the condition has its status: one word, listed in the documentation.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z][A-Za-z0-9]*$",
                },
                "message": {
                    "description": "Explanation for people, with what to do.",
                    "type": "string",
                    "maxLength": 32768,
                },
                "lastTransitionTime": {
                    "description": "When the status of the condition last changed.",
                    "type": "string",
                    "format": "date-time",
                },
                "observedGeneration": {
                    "description": "Not used: see status.observedGeneration.",
                    "type": "integer",
                    "format": "int64",
                },
            },
        },
    })
}
