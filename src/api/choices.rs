//! Enumerations of the spec.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// How a pair is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValidationLevel {
    /// AWS STS returns the identity of the pair.
    #[default]
    Identity,
    /// The pair is well-formed; AWS is not asked.
    Format,
}

/// How a pair of a class is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProofMethod {
    /// The store accepts the signature of a `ListBuckets` request, and refuses that of a random pair.
    S3,
}

/// Which access key IDs are well-formed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessKeyIdFormat {
    /// 16 to 128 upper-case letters and digits.
    #[default]
    Aws,
    /// Also 3 to 128 letters, digits, dots, hyphens and underscores, other than a damaged ID of AWS.
    Any,
}

/// Whether the pair of a root user is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RootUser {
    /// The pair of a root user is rejected.
    #[default]
    Deny,
    /// The pair of a root user is accepted.
    Allow,
}

/// What happens to the target when its pair is rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnRejected {
    /// The target is kept unchanged.
    #[default]
    Keep,
    /// The target is deleted after the rejection is confirmed.
    Withdraw,
}

/// What happens to the target when the resource is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The target is garbage collected with the resource.
    #[default]
    Delete,
    /// The target is kept.
    Retain,
}

/// Which workloads are restarted after a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RestartScope {
    /// The workloads that the spec names.
    Workloads,
    /// Workloads whose pods use the target and do not reload it by themselves.
    Consumers,
}

/// A kind of workload whose pods are replaced when its template changes.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` `StatefulSet`.
    StatefulSet,
    /// `apps/v1` `DaemonSet`.
    DaemonSet,
}

/// What one key of the target holds: a half of the pair, the region, or a whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TargetValue {
    /// The access key ID.
    AccessKeyId,
    /// The secret access key.
    SecretAccessKey,
    /// The region.
    Region,
    /// A `credentials` file as every AWS SDK reads it.
    CredentialsFile,
    /// A `config` file with the region.
    ConfigFile,
    /// The output of a `credential_process`.
    ProcessJson,
}

impl WorkloadKind {
    /// The kind as written in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
