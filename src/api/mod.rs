//! The `awscredentials.dev` API: types, defaults and rules, and nothing that acts on them.

mod choices;
mod class;
mod condition_type;
mod crd;
mod layout;
pub(crate) mod messages;
mod overlap;
mod reason;
mod rotation;
mod rules;
mod source;
mod spec;
mod status;
mod target;

pub use choices::{
    AccessKeyIdFormat, DeletionPolicy, OnRejected, ProofMethod, RestartScope, RootUser,
    TargetValue, ValidationLevel, WorkloadKind,
};
pub use class::{
    AllowedNamespaces, AwsCredentialsClass, AwsCredentialsClassSpec, ClassRef, Endpoint,
};
pub use condition_type::{ConditionOwner, ConditionType, Polarity, Presence};
pub use crd::{CLASS_MANIFEST, MANIFEST, class_crd, crd, crd_yaml};
pub(crate) use layout::KeyContent;
pub use layout::{Layout, PROCESS_CONFIG};
pub use overlap::{
    ConsumerGroup, Consumers, MOST_NAMES, MOST_OLDER_KEYS, MOST_WORKLOADS, OlderKey, Previous,
    Restarts,
};
pub use reason::{Reason, ReasonClass};
pub use rotation::{Restart, Rotation, WorkloadReference};
pub use rules::{ID_PREFIXES, LONGEST_KEY};
pub use source::{CredentialsFile, SecretRef};
pub use spec::{StaticAwsCredentials, StaticAwsCredentialsSpec, Validation};
pub use status::{
    Binding, ClassVersion, Identity, Published, Settling, SourceVersion, StaticAwsCredentialsStatus,
};
pub use target::Target;

/// API group of the resource.
pub const GROUP: &str = "awscredentials.dev";
/// The kind of what is reconciled.
pub const KIND: &str = "StaticAwsCredentials";
/// The kind of a class.
pub const CLASS_KIND: &str = "AwsCredentialsClass";
/// Group and served version as they stand in manifests and owner references.
pub const API_VERSION: &str = "awscredentials.dev/v1alpha1";
/// Label on every target that carries the UID of the resource that it belongs to.
pub const UID_LABEL: &str = "awscredentials.dev/uid";
/// Prefix of the annotation on the template of a workload's pods by which it is restarted: the UID of the
/// resource follows, and the value is the revision of its pair and when it was published.
pub const RESTART_ANNOTATION_PREFIX: &str = "restart.awscredentials.dev/";
/// Annotation on a Secret that names the resource which may take it over.
pub const ADOPT_BY_ANNOTATION: &str = "awscredentials.dev/adopt-by";
/// Annotation on a pod that names the Secret that it gets.
pub const INJECT_ANNOTATION: &str = "awscredentials.dev/inject";
/// Annotation on such a pod; `Hot` if it is to follow rotations by itself.
pub const ROTATION_ANNOTATION: &str = "awscredentials.dev/rotation";
/// Default of `spec.secretRef.accessKeyIdKey`.
pub const ACCESS_KEY_ID_KEY: &str = "AWS_ACCESS_KEY_ID";
/// Default of `spec.secretRef.secretAccessKeyKey`.
pub const SECRET_ACCESS_KEY_KEY: &str = "AWS_SECRET_ACCESS_KEY";
