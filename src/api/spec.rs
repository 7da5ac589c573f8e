//! The spec.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    ClassRef, OnRejected, RootUser, Rotation, SecretRef, StaticAwsCredentialsStatus, Target,
    ValidationLevel, messages, rules,
};

/// Which key pair is used, how it is proven, and what is published.
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
    doc = "StaticAwsCredentials proves the AWS key pair in one Secret and publishes it to another Secret that pods mount.",
    label("servicebinding.io/provisioned-service", "true"),
    annotation("helm.sh/resource-policy", "keep"),
    annotation("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"),
    selectable = ".spec.secretRef.name",
    selectable = ".status.published.secretName",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "Whether the target holds the proven pair of the source"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        description = "Why Ready has its status"
    ),
    printcolumn(
        name = "Account",
        type_ = "string",
        json_path = ".status.identity.accountId",
        description = "AWS account of the published pair"
    ),
    printcolumn(
        name = "Target",
        type_ = "string",
        json_path = ".status.published.secretName",
        description = "Name of the published Secret"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the resource was created"
    ),
    printcolumn(
        name = "Key",
        type_ = "string",
        json_path = ".status.published.keyIdSuffix",
        description = "Last four characters of the published access key ID",
        priority = 1
    ),
    printcolumn(
        name = "Class",
        type_ = "string",
        json_path = ".spec.classRef.name",
        description = "Class that describes the store of the pair",
        priority = 1
    ),
    printcolumn(
        name = "Verified",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Verified")].status"#,
        description = "Last verdict on the source's pair",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        description = "Message of Ready",
        priority = 1
    ),
    validation = Rule::new("has(self.spec.target.name) || self.metadata.name.size() <= 241")
        .message(rules::message("spec.target.name", messages::TARGET_OF_LONG_NAME))
        .field_path(".spec.target.name")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("has(self.spec.target.name) || self.metadata.name + '-credentials' != self.spec.secretRef.name")
        .message(rules::message("spec.target.name", messages::TARGET_OF_SOURCE))
        .field_path(".spec.target.name")
)]
#[x_kube(
    validation = Rule::new("self.validation.level != 'Identity' || has(self.region) || has(self.classRef)")
        .message(rules::message("spec.region", messages::REGION_AT_IDENTITY))
        .field_path(".region")
        .reason(Reason::FieldValueRequired),
    validation = Rule::new("!has(self.target.name) || self.target.name != self.secretRef.name")
        .message(rules::message("spec.target.name", messages::TWO_SECRETS))
        .field_path(".target.name"),
    validation = rules::arn_in_partition_of_region(),
    validation = rules::region_of_keys(),
    validation = rules::nothing_beside_class("region", "self.region"),
    validation = rules::nothing_beside_class("validation.accountId", "self.validation.accountId"),
    validation = rules::nothing_beside_class("validation.arn", "self.validation.arn")
)]
#[serde(rename_all = "camelCase")]
pub struct StaticAwsCredentialsSpec {
    /// The Secret that holds the key pair. The operator never writes it.
    pub secret_ref: SecretRef,

    /// AWS region, for example `eu-west-1`. It selects the partition and the regional STS endpoint,
    /// and is written to layouts that contain a region. Required at `validation.level: Identity` without `classRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$')")
            .message(rules::message("spec.region", messages::REGION))
    )]
    pub region: Option<String>,

    /// The class that describes the S3-compatible store of the pair. Without a class, the pair is one of AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_ref: Option<ClassRef>,

    /// How the pair is proven, before its publication and again at intervals.
    #[serde(default)]
    pub validation: Validation,

    /// The Secret that pods mount.
    #[serde(default)]
    pub target: Target,

    /// What happens after a new pair has replaced a published one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,

    /// If true, nothing is read, proven, written or restored; only `Retain` still removes the owner reference.
    #[serde(default)]
    pub suspend: bool,
}

/// How a pair is proven.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(
    validation = Rule::new("!has(self.arn) || self.level == 'Identity'")
        .message(rules::message("spec.validation.arn", messages::ARN_AT_IDENTITY))
        .field_path(".arn")
        .reason(Reason::FieldValueForbidden),
    validation = Rule::new("!has(self.arn) || !has(self.accountId) || self.arn.contains('::*:') || self.arn.contains('::' + self.accountId + ':')")
        .message(rules::message("spec.validation.arn", messages::ARN_ACCOUNT))
        .field_path(".arn")
)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// `Identity` asks AWS STS for the identity of the pair, or the store of `classRef` whether it accepts the pair;
    /// `Format` checks only the bytes.
    #[serde(default)]
    pub level: ValidationLevel,

    /// AWS account that the pair must belong to: 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]{12}$')")
            .message(rules::message("spec.validation.accountId", messages::ACCOUNT_ID))
    )]
    pub account_id: Option<String>,

    /// ARN of the IAM user or root user that the pair must belong to. `*` matches any characters except `:`.
    /// Only at level `Identity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 640))]
    #[x_kube(
        validation = Rule::new("self.matches('^arn:aws(-[a-z]+)*:iam::([0-9]{12}|[*]):(root|user/([!-~]*/|([!-~]*/)?[A-Za-z0-9+=,.@_*-]+))$')")
            .message(rules::message("spec.validation.arn", messages::ARN))
    )]
    pub arn: Option<String>,

    /// Whether a key pair of the account's root user is accepted: `Deny` or `Allow`.
    /// No effect at level `Format`.
    #[serde(default)]
    pub root_user: RootUser,

    /// How often a published or rejected pair is checked again with AWS, plus or minus 10 %: `5m` to `168h`.
    /// No effect at level `Format`.
    #[serde(default = "interval")]
    #[schemars(length(max = 18))]
    #[x_kube(validation = rules::interval())]
    pub interval: String,

    /// What happens to the target when AWS rejects the published pair and the rejection is confirmed, or the pair no
    /// longer conforms to `accountId`, `arn` or `rootUser`: `Keep` keeps the target, `Withdraw` deletes it. No effect
    /// at level `Format`.
    #[serde(default)]
    pub on_rejected: OnRejected,
}

fn interval() -> String {
    "1h".to_owned()
}

impl StaticAwsCredentialsSpec {
    /// The spec with every default, for the pair in this Secret.
    #[must_use]
    pub fn of_source(secret: &str) -> Self {
        Self {
            secret_ref: SecretRef::of(secret),
            region: None,
            class_ref: None,
            validation: Validation::default(),
            target: Target::default(),
            rotation: None,
            suspend: false,
        }
    }
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
