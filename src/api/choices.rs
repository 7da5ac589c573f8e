//! The values that a user chooses from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

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
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    IntoStaticStr,
    VariantArray,
)]
pub enum Layout {
    /// Environment variables as every AWS SDK reads them.
    Env,
    /// `credentials` and `config` files as every AWS SDK reads them.
    SharedCredentialsFile,
    /// The output of a `credential_process`.
    ProcessJson,
    /// The same, and the `config-process` file by which AWS SDKs read it again while they run.
    CredentialProcess,
    /// The Service Binding specification's `aws` type.
    ServiceBinding,
    /// Constants of the Mendix AWS Authentication module.
    Mendix,
    /// File storage settings of a Mendix app.
    MendixStorage,
    /// What consumers of an OpenShift `CredentialsRequest` read.
    CloudCredential,
}

/// Which workloads are restarted after a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RestartScope {
    /// Those that are named.
    Workloads,
    /// Those whose pods use the target and do not read it again by themselves.
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

/// One half of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PairField {
    /// The access key ID.
    AccessKeyId,
    /// The secret access key.
    SecretAccessKey,
}

impl WorkloadKind {
    /// The kind as it stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Layout {
    /// The layout as it stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
