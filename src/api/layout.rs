//! The layouts: for whom each is, which keys it writes, and what each key holds. The schema, its CEL rules, the tables
//! of the documents and the rendering of a target read the same table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumMessage, IntoStaticStr, VariantArray};

use super::TargetValue;

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
    EnumMessage,
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
    /// As `ProcessJson`, and a `config-process` file that makes AWS SDKs reload the pair at runtime.
    CredentialProcess,
    /// The Service Binding specification's `aws` type.
    ServiceBinding,
    /// Constants of the Mendix AWS Authentication module.
    Mendix,
    /// File storage settings of a Mendix app.
    MendixStorage,
    /// Keys that consumers of an OpenShift `CredentialsRequest` read.
    CloudCredential,
}

/// The key of the config file by which SDKs find the `credential_process` program.
pub const PROCESS_CONFIG: &str = "config-process";

/// What a key of the target holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyContent {
    AccessKeyId,
    SecretAccessKey,
    Region,
    /// The name of the provider, and also the type of the binding.
    Aws,
    CredentialsFile,
    ConfigFile,
    ProcessJson,
    ProcessConfig,
}

impl From<TargetValue> for KeyContent {
    fn from(value: TargetValue) -> Self {
        match value {
            TargetValue::AccessKeyId => Self::AccessKeyId,
            TargetValue::SecretAccessKey => Self::SecretAccessKey,
            TargetValue::Region => Self::Region,
            TargetValue::CredentialsFile => Self::CredentialsFile,
            TargetValue::ConfigFile => Self::ConfigFile,
            TargetValue::ProcessJson => Self::ProcessJson,
        }
    }
}

impl TargetValue {
    /// Whether the value depends on the region.
    #[must_use]
    pub fn needs_region(self) -> bool {
        KeyContent::from(self).needs_region()
    }

    /// Whether one key with this value holds the whole pair.
    #[must_use]
    pub fn holds_pair(self) -> bool {
        KeyContent::from(self).holds_pair()
    }
}

impl KeyContent {
    fn needs_region(self) -> bool {
        matches!(self, Self::Region | Self::ConfigFile)
    }

    pub(crate) fn holds_key_material(self) -> bool {
        matches!(self, Self::AccessKeyId | Self::SecretAccessKey) || self.holds_pair()
    }

    pub(crate) fn holds_pair(self) -> bool {
        matches!(self, Self::CredentialsFile | Self::ProcessJson)
    }
}

impl Layout {
    /// The layout as written in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The keys that the layout writes, in the order of the documentation.
    pub fn keys(self, with_region: bool) -> impl Iterator<Item = &'static str> {
        let entries = self.entries().iter();
        let written = entries.filter(move |(_, content)| with_region || !content.needs_region());
        written.map(|(key, _)| *key)
    }

    /// The same with the content of each key.
    pub(crate) fn entries(self) -> &'static [(&'static str, KeyContent)] {
        use KeyContent::{
            AccessKeyId, Aws, ConfigFile, CredentialsFile, ProcessConfig, ProcessJson, Region,
            SecretAccessKey,
        };
        match self {
            Self::Env => &[
                ("AWS_ACCESS_KEY_ID", AccessKeyId),
                ("AWS_SECRET_ACCESS_KEY", SecretAccessKey),
                ("AWS_REGION", Region),
                ("AWS_DEFAULT_REGION", Region),
            ],
            Self::SharedCredentialsFile => {
                &[("credentials", CredentialsFile), ("config", ConfigFile)]
            }
            Self::ProcessJson => &[("credentials.json", ProcessJson)],
            Self::CredentialProcess => &[
                ("credentials.json", ProcessJson),
                (PROCESS_CONFIG, ProcessConfig),
            ],
            Self::ServiceBinding => &[
                ("type", Aws),
                ("provider", Aws),
                ("access-key-id", AccessKeyId),
                ("secret-access-key", SecretAccessKey),
                ("region", Region),
            ],
            Self::Mendix => &[
                ("mx-const-AWSAuthentication.AccessKey", AccessKeyId),
                (
                    "mx-const-AWSAuthentication.SecretAccessKey",
                    SecretAccessKey,
                ),
            ],
            Self::MendixStorage => &[
                ("storage-access-key-id", AccessKeyId),
                ("storage-secret-access-key", SecretAccessKey),
            ],
            Self::CloudCredential => &[
                ("aws_access_key_id", AccessKeyId),
                ("aws_secret_access_key", SecretAccessKey),
                ("credentials", CredentialsFile),
            ],
        }
    }
}
