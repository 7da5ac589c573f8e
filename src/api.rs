//! The `awscredentials.dev` API: types, defaults and rules, and nothing that acts on them.

mod choices;
mod crd;
mod overlap;
mod reason;
mod rules;
mod spec;
mod status;

pub use choices::{DeletionPolicy, Layout, OnRejected, PairField, RootUser, ValidationLevel};
pub use crd::{crd, crd_yaml};
pub use overlap::{ConsumerGroup, Consumers, Previous};
pub use reason::Reason;
pub use spec::{SecretRef, StaticAwsCredentials, StaticAwsCredentialsSpec, Target, Validation};
pub use status::{
    Binding, ConditionType, Identity, Published, Settling, SourceVersion,
    StaticAwsCredentialsStatus,
};

/// API group of the resource.
pub const GROUP: &str = "awscredentials.dev";
/// The one kind.
pub const KIND: &str = "StaticAwsCredentials";
/// Group and served version as they stand in manifests and owner references.
pub const API_VERSION: &str = "awscredentials.dev/v1alpha1";
/// Label on every target that carries the UID of the resource that it belongs to.
pub const UID_LABEL: &str = "awscredentials.dev/uid";
/// Annotation on a Secret that names the resource which may take it over.
pub const ADOPT_BY_ANNOTATION: &str = "awscredentials.dev/adopt-by";
/// Default of `spec.secretRef.accessKeyIdKey`.
pub const ACCESS_KEY_ID_KEY: &str = "AWS_ACCESS_KEY_ID";
/// Default of `spec.secretRef.secretAccessKeyKey`.
pub const SECRET_ACCESS_KEY_KEY: &str = "AWS_SECRET_ACCESS_KEY";
