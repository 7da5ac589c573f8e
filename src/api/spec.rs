//! What a user writes.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StaticAwsCredentialsStatus;

/// Proves the AWS key pair in one Secret and publishes it to another that pods mount.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "awscredentials.dev",
    version = "v1alpha1",
    kind = "StaticAwsCredentials",
    plural = "staticawscredentials",
    singular = "staticawscredentials",
    shortname = "awscreds",
    category = "aws-credentials",
    namespaced,
    status = "StaticAwsCredentialsStatus",
    derive = "PartialEq",
    doc = "StaticAwsCredentials proves the AWS key pair in one Secret and publishes it to another Secret that pods mount."
)]
#[serde(rename_all = "camelCase")]
pub struct StaticAwsCredentialsSpec {
    /// The Secret that holds the key pair. It is read and never written.
    pub secret_ref: SecretRef,

    /// AWS region, for example `eu-west-1`. It picks the partition and the regional STS endpoint,
    /// and is written to layouts that carry a region. Required at `validation.level: Identity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,

    /// How the pair is proven before it is published.
    #[serde(default)]
    pub validation: Validation,

    /// The Secret that pods mount.
    #[serde(default)]
    pub target: Target,

    /// While true, nothing is read, proven, written or restored.
    #[serde(default)]
    pub suspend: bool,
}

/// The source: a Secret in the namespace of the resource.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret, in the namespace of this resource.
    pub name: String,

    /// Key of the Secret's data that holds the access key ID.
    #[serde(default = "access_key_id_key")]
    pub access_key_id_key: String,

    /// Key of the Secret's data that holds the secret access key.
    #[serde(default = "secret_access_key_key")]
    pub secret_access_key_key: String,
}

/// How a pair is proven.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// `Identity` asks AWS STS who the pair belongs to; `Format` looks at the bytes alone and asks nobody.
    #[serde(default)]
    pub level: ValidationLevel,

    /// AWS account that the pair must belong to: 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,

    /// ARN of the IAM user that the pair must belong to. `*` stands for any characters but `:`.
    /// Only at level `Identity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,

    /// Whether a key pair of the account's root user is accepted. No effect at level `Format`.
    #[serde(default)]
    pub root_user: RootUser,

    /// How often a published pair is proven again, give or take a tenth: `5m` to `168h`.
    /// No effect at level `Format`.
    #[serde(default = "interval")]
    pub interval: String,

    /// What happens to the target when AWS rejects the pair that is published.
    /// No effect at level `Format`.
    #[serde(default)]
    pub on_rejected: OnRejected,
}

/// The target: a Secret that the operator owns.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Name of the Secret. Default: the name of this resource followed by `-credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// The shapes in which the pair is written, one set of keys for each kind of consumer.
    #[serde(default = "layouts")]
    pub layouts: Vec<Layout>,

    /// Further keys of the target, each with the half of the pair that it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, PairField>,

    /// What happens to the Secret when this resource is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// How far a pair is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValidationLevel {
    /// AWS STS names the identity behind the pair.
    #[default]
    Identity,
    /// The bytes have the form of a key pair.
    Format,
}

/// Whether a root user's pair is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RootUser {
    /// A root user's pair is rejected.
    #[default]
    Deny,
    /// A root user's pair is accepted.
    Allow,
}

/// What a rejection does to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnRejected {
    /// The target stays as it is.
    #[default]
    Keep,
    /// The target is deleted once the rejection is confirmed.
    Withdraw,
}

/// What the deletion of the resource does to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The target is garbage collected with the resource.
    #[default]
    Delete,
    /// The target stays.
    Retain,
}

/// A set of target keys for one kind of consumer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Layout {
    /// Environment variables as every AWS SDK reads them.
    Env,
    /// `credentials` and `config` files as every AWS SDK reads them.
    SharedCredentialsFile,
    /// The output of a `credential_process`.
    ProcessJson,
    /// The Service Binding specification's `aws` type.
    ServiceBinding,
    /// Constants of the Mendix AWS Authentication module.
    Mendix,
    /// File storage settings of a Mendix app.
    MendixStorage,
    /// What consumers of an OpenShift `CredentialsRequest` read.
    CloudCredential,
}

/// One half of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PairField {
    /// The access key ID.
    AccessKeyId,
    /// The secret access key.
    SecretAccessKey,
}

fn access_key_id_key() -> String {
    "AWS_ACCESS_KEY_ID".to_owned()
}

fn secret_access_key_key() -> String {
    "AWS_SECRET_ACCESS_KEY".to_owned()
}

fn interval() -> String {
    "1h".to_owned()
}

fn layouts() -> Vec<Layout> {
    vec![Layout::Env, Layout::SharedCredentialsFile]
}

impl Default for Validation {
    fn default() -> Self {
        Self {
            level: ValidationLevel::default(),
            account_id: None,
            arn: None,
            root_user: RootUser::default(),
            interval: interval(),
            on_rejected: OnRejected::default(),
        }
    }
}

impl Default for Target {
    fn default() -> Self {
        Self {
            name: None,
            layouts: layouts(),
            keys: BTreeMap::new(),
            deletion_policy: DeletionPolicy::default(),
        }
    }
}
