//! The class: an S3-compatible store, as an administrator describes it.

use kube::{CustomResource, KubeSchema};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{AccessKeyIdFormat, ProofMethod, messages, rules};

/// The store of pairs, and who may use it.
#[allow(clippy::duplicated_attributes, reason = "each column has a type")]
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "awscredentials.dev",
    version = "v1alpha1",
    kind = "AwsCredentialsClass",
    plural = "awscredentialsclasses",
    singular = "awscredentialsclass",
    shortname = "awsclass",
    category = "aws-credentials",
    derive = "PartialEq",
    doc = "AwsCredentialsClass describes an S3-compatible store, in which the pairs of StaticAwsCredentials are proven.",
    annotation("helm.sh/resource-policy", "keep"),
    annotation("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"),
    printcolumn(
        name = "Proof",
        type_ = "string",
        json_path = ".spec.proof",
        description = "How pairs are proven"
    ),
    printcolumn(
        name = "Endpoint",
        type_ = "string",
        json_path = ".spec.endpoint.url",
        description = "Address of the store"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the class was created"
    )
)]
#[x_kube(
    validation = Rule::new("self.allowPlainHttp || self.endpoint.url.startsWith('https://')")
        .message(rules::message("spec.endpoint.url", messages::PLAIN_HTTP))
        .field_path(".endpoint.url")
        .reason(Reason::FieldValueForbidden)
)]
#[serde(rename_all = "camelCase")]
pub struct AwsCredentialsClassSpec {
    /// How a pair is proven: `S3` asks the store to list buckets and takes an accepted signature for the proof.
    pub proof: ProofMethod,

    /// Where the store is.
    pub endpoint: Endpoint,

    /// Whether `endpoint.url` may be plain HTTP. Signatures, though not the secret access key, can then be read on the
    /// way, and answers can be forged.
    #[serde(default)]
    pub allow_plain_http: bool,

    /// The region that requests are signed for, which is also written to layouts that contain a region. Default:
    /// `us-east-1`.
    #[serde(default = "region")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')")
            .message(rules::message("spec.region", messages::SIGNING_REGION))
    )]
    pub region: String,

    /// Which access key IDs are well-formed. `Aws`, the default: 16 to 128 upper-case letters and digits. `Any`: also 3
    /// to 128 letters, digits, dots, hyphens and underscores.
    #[serde(default)]
    pub access_key_id_format: AccessKeyIdFormat,

    /// How long the store may take until it accepts a new pair: `0s` to `10m`, `60s` by default.
    #[serde(default = "settling")]
    #[schemars(length(max = 12))]
    #[x_kube(
        validation = Rule::new("self != '' && self.matches('^([0-9]{1,2}m)?([0-9]{1,3}s)?$') && duration(self) <= duration('10m')")
            .message(rules::message("spec.settling", messages::SETTLING))
    )]
    pub settling: String,

    /// The namespaces whose resources may name the class. Absent: none. Empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,
}

/// Where a store is.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Address of the S3 interface: scheme, host and optionally a port.
    #[schemars(length(max = 300))]
    #[x_kube(
        validation = Rule::new("self.matches('^https?://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\\\[[0-9A-Fa-f:.]+\\\\])(:[0-9]{1,5})?$')")
            .message(rules::message("spec.endpoint.url", messages::ENDPOINT_URL))
    )]
    pub url: String,

    /// The only certificate authorities that are trusted for the endpoint, in PEM. Default: those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    #[x_kube(
        validation = Rule::new("self.contains('-----BEGIN CERTIFICATE-----') && self.contains('-----END CERTIFICATE-----') && !self.contains('PRIVATE KEY')")
            .message(rules::message("spec.endpoint.caBundle", messages::CA_BUNDLE))
    )]
    pub ca_bundle: Option<String>,
}

/// Namespaces.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    /// Names of the namespaces. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "namespace_names")]
    #[x_kube(
        validation = Rule::new("self.all(n, n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))")
            .message(rules::message("spec.allowedNamespaces.names", messages::NAMESPACES))
    )]
    pub names: Vec<String>,
}

/// A reference to a class.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRef {
    /// Name of the `AwsCredentialsClass`.
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::class_name("spec.classRef.name"))]
    pub name: String,
}

fn namespace_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 1000,
        "x-kubernetes-list-type": "set",
        "items": { "description": "Name of a namespace.", "type": "string", "maxLength": 63 },
    })
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn settling() -> String {
    "60s".to_owned()
}
