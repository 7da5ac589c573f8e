//! The part of the spec that covers the source.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{ACCESS_KEY_ID_KEY, SECRET_ACCESS_KEY_KEY, messages, rules};

/// The source: a Secret in the namespace of the resource.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(
    validation = Rule::new("self.accessKeyIdKey != self.secretAccessKeyKey")
        .message(rules::message("spec.secretRef.secretAccessKeyKey", messages::TWO_KEYS))
        .field_path(".secretAccessKeyKey"),
    validation = Rule::new("!has(self.credentialsFile) || (self.accessKeyIdKey == 'AWS_ACCESS_KEY_ID' && self.secretAccessKeyKey == 'AWS_SECRET_ACCESS_KEY')")
        .message(rules::message("spec.secretRef.credentialsFile", messages::FILE_OR_KEYS))
        .field_path(".credentialsFile")
        .reason(Reason::FieldValueForbidden)
)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret, in the namespace of this resource.
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::subdomain("spec.secretRef.name"))]
    pub name: String,

    /// Key of the Secret's data that holds the access key ID.
    #[serde(default = "access_key_id_key")]
    #[schemars(length(max = 253))]
    #[x_kube(
        validation = rules::data_key("spec.secretRef.accessKeyIdKey"),
        validation = rules::no_key_material("spec.secretRef.accessKeyIdKey")
    )]
    pub access_key_id_key: String,

    /// Key of the Secret's data that holds the secret access key.
    #[serde(default = "secret_access_key_key")]
    #[schemars(length(max = 253))]
    #[x_kube(
        validation = rules::data_key("spec.secretRef.secretAccessKeyKey"),
        validation = rules::no_key_material("spec.secretRef.secretAccessKeyKey")
    )]
    pub secret_access_key_key: String,

    /// A file in the format of AWS SDKs that holds the pair, in the place of the two keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<CredentialsFile>,
}

/// A `credentials` file under one key of the source, and the profile with the pair.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsFile {
    /// Key of the Secret's data that holds the file.
    #[schemars(length(max = 253))]
    #[x_kube(
        validation = rules::data_key("spec.secretRef.credentialsFile.key"),
        validation = rules::no_key_material("spec.secretRef.credentialsFile.key")
    )]
    pub key: String,

    /// The profile with the pair. Its other settings are ignored, also a region.
    #[serde(default = "profile")]
    #[schemars(length(max = 128))]
    #[x_kube(
        validation = rules::profile("spec.secretRef.credentialsFile.profile"),
        validation = rules::no_key_material("spec.secretRef.credentialsFile.profile")
    )]
    pub profile: String,
}

impl SecretRef {
    /// The pair under the default keys of this Secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self {
            name: secret.to_owned(),
            access_key_id_key: access_key_id_key(),
            secret_access_key_key: secret_access_key_key(),
            credentials_file: None,
        }
    }

    /// The keys of the Secret's data that are read.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let file = self.credentials_file.as_ref();
        let halves = [&self.access_key_id_key, &self.secret_access_key_key];
        let halves = halves.into_iter().filter(move |_| file.is_none());
        let keys = file.map(|file| &file.key).into_iter().chain(halves);
        keys.map(String::as_str)
    }
}

fn access_key_id_key() -> String {
    ACCESS_KEY_ID_KEY.to_owned()
}

fn secret_access_key_key() -> String {
    SECRET_ACCESS_KEY_KEY.to_owned()
}

fn profile() -> String {
    "default".to_owned()
}
