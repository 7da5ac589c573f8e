//! What the operator reports.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Consumers, Previous, Restarts};

/// Observed state. Of key material it shows at most the last four characters of the access key ID.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticAwsCredentialsStatus {
    /// Generation of the spec that this status speaks of; -1 before the first run.
    #[serde(default)]
    pub observed_generation: i64,

    /// Ready, Verified and Published; Reconciling or Stalled only while they are true; `PreviousKeyInUse` and
    /// `ConsumersRestarted` after a rotation.
    #[serde(default)]
    #[schemars(schema_with = "conditions")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// The version of the source that the conditions speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceVersion>,

    /// The target as it was last published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,

    /// Who the published pair belongs to, as STS named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,

    /// When STS last accepted the published pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_verified_time: Option<Time>,

    /// When AWS first refused the source's pair as unknown. A refusal counts once it has lasted for a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling: Option<Settling>,

    /// The pair that was superseded last, where the operator looks after its consumers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,

    /// Pods of this namespace that use the target, under any of its names, and may still hold the superseded pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<Consumers>,

    /// From then on no pod of this and the other resources with the superseded key holds it. Absent while pods have to
    /// be restarted first, or another resource publishes the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key_safe_after: Option<Time>,

    /// Restarts after the last rotation, until all are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Restarts>,

    /// The Secret to bind, as the Service Binding specification's Provisioned Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// A version of the source.
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
    /// Equal wherever the same pair is published. The pair does not follow from it: the secret access key is part of
    /// what was hashed. Absent for a pair whose secret access key is not in the form of AWS, since that might be
    /// guessed, and in a status that an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_digest: Option<String>,
    /// Other names of the target under which the same pair was published before, up to seven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::overlap::former_names")]
    pub former_secret_names: Vec<String>,
    /// Digest of the target's data as they were published, salted with the UID of this resource. It tells
    /// nothing of a value, and is absent where a secret access key is so short that it might.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^[0-9a-f]{32}$"))]
    pub content_digest: Option<String>,
    /// Digest of the labels that were copied from this resource to the target, where any was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = r"^[0-9a-f]{32}$"))]
    pub labels_digest: Option<String>,
    /// Counts the pairs that were published.
    pub revision: i64,
    /// When this pair was published.
    pub time: Time,
    /// For how many seconds consumers of the layout `CredentialProcess` keep a pair that they have read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_process_ttl_seconds: Option<i64>,
}

/// Who a pair belongs to.
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

/// A refusal by AWS that may yet pass.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settling {
    /// When the pair was first refused.
    pub since: Time,
    /// Last four characters of the access key ID that was refused.
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

/// Types of the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The target holds the source's pair, proven, and conforms to the spec.
    Ready,
    /// The last verdict on the source's pair.
    Verified,
    /// The target exists, is ours and holds what was last published.
    Published,
    /// Something is awaited.
    Reconciling,
    /// A person must act.
    Stalled,
    /// Pods may still hold the pair that was superseded.
    PreviousKeyInUse,
    /// The workloads that `spec.rotation.restart` speaks of were restarted after the last rotation.
    ConsumersRestarted,
}

impl ConditionType {
    /// The type as it stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Verified => "Verified",
            Self::Published => "Published",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::PreviousKeyInUse => "PreviousKeyInUse",
            Self::ConsumersRestarted => "ConsumersRestarted",
        }
    }
}

/// The bounds and patterns that every API with standard conditions has, which the type itself lacks.
fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "items": {
            "type": "object",
            "description": "One aspect of the state, and why it is so.",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "Which aspect, in CamelCase.",
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
                    "description": "Why the condition has its status: one word of those that the documentation lists.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z][A-Za-z0-9]*$",
                },
                "message": {
                    "description": "The same in words, for people.",
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
