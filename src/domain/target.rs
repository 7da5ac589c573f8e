//! The target Secret: how it is built, and which owner the marks of a Secret name.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    api::core::v1::Secret,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};

use zeroize::Zeroize;

use crate::{
    api::{ADOPT_BY_ANNOTATION, API_VERSION, DeletionPolicy, GROUP, KIND, UID_LABEL},
    domain::pair::SecretBytes,
};

/// Field manager of everything that this operator writes.
pub const FIELD_MANAGER: &str = "static-aws-credentials";
const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// The owner of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Namespace of the resource and of its target.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
    /// UID of the resource.
    pub uid: String,
    /// Labels of the resource that are copied to its target.
    pub copied_labels: BTreeMap<String, String>,
    /// Whether the target is garbage collected with the resource.
    pub deletion_policy: DeletionPolicy,
}

impl Owner {
    /// The labels that every target carries.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.copied_labels.clone();
        labels.insert(MANAGED_BY_LABEL.to_owned(), FIELD_MANAGER.to_owned());
        labels.insert(UID_LABEL.to_owned(), self.uid.clone());
        labels
    }

    /// The annotations that every target carries.
    #[must_use]
    pub fn annotations(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(ADOPT_BY_ANNOTATION.to_owned(), self.name.clone())])
    }

    /// The owner references that the target carries: one under `Delete`, none under `Retain`.
    ///
    /// `blockOwnerDeletion` stays unset: setting it needs permission to update finalizers.
    #[must_use]
    pub fn references(&self) -> Vec<OwnerReference> {
        match self.deletion_policy {
            DeletionPolicy::Retain => Vec::new(),
            DeletionPolicy::Delete => vec![OwnerReference {
                api_version: API_VERSION.to_owned(),
                kind: KIND.to_owned(),
                name: self.name.clone(),
                uid: self.uid.clone(),
                controller: Some(true),
                block_owner_deletion: None,
            }],
        }
    }

    /// The metadata of a new target.
    #[must_use]
    pub fn metadata(&self, target: &str) -> ObjectMeta {
        let references = self.references();
        ObjectMeta {
            name: Some(target.to_owned()),
            namespace: Some(self.namespace.clone()),
            labels: Some(self.labels()),
            annotations: Some(self.annotations()),
            owner_references: (!references.is_empty()).then_some(references),
            ..ObjectMeta::default()
        }
    }
}

/// A Secret to send to the API server. Its values are zeroized on drop.
pub struct ZeroizingSecret(pub Secret);

impl ZeroizingSecret {
    /// The Secret to write.
    #[must_use]
    pub fn new(metadata: ObjectMeta, data: &BTreeMap<String, SecretBytes>) -> Self {
        let copy = |(key, value): (&String, &SecretBytes)| {
            (key.clone(), ByteString(value.expose_secret().to_vec()))
        };
        Self(Secret {
            metadata,
            data: Some(data.iter().map(copy).collect()),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        })
    }
}

impl Drop for ZeroizingSecret {
    fn drop(&mut self) {
        for value in self.0.data.iter_mut().flat_map(BTreeMap::values_mut) {
            value.0.zeroize();
        }
    }
}

/// The controller reference of an object, if it names a resource of our kind.
#[must_use]
pub fn our_controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    controller(metadata).filter(|owner| owner.kind == KIND && group(owner) == GROUP)
}

/// The controller reference of an object.
#[must_use]
pub fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    owners.iter().find(|owner| owner.controller == Some(true))
}

/// The UID in our label.
#[must_use]
pub fn uid_label(metadata: &ObjectMeta) -> Option<&str> {
    metadata.labels.as_ref()?.get(UID_LABEL).map(String::as_str)
}

/// The UID on which label and controller reference agree. One mark alone proves nothing.
#[must_use]
pub fn owner_uid(metadata: &ObjectMeta) -> Option<&str> {
    let label = uid_label(metadata)?;
    our_controller(metadata)
        .filter(|owner| owner.uid == label)
        .map(|_| label)
}

/// Whether a write of ours would lose no metadata of other clients.
#[must_use]
pub fn has_only_our_metadata(metadata: &ObjectMeta) -> bool {
    let labels = metadata.labels.iter().flatten();
    let annotations = metadata.annotations.iter().flatten();
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    labels
        .into_iter()
        .all(|(key, _)| key == UID_LABEL || key == MANAGED_BY_LABEL)
        && annotations
            .into_iter()
            .all(|(key, _)| key == ADOPT_BY_ANNOTATION)
        && owners
            .iter()
            .all(|owner| owner.kind == KIND && group(owner) == GROUP)
        && metadata
            .finalizers
            .as_deref()
            .unwrap_or_default()
            .is_empty()
        && metadata.deletion_timestamp.is_none()
}

fn group(owner: &OwnerReference) -> &str {
    owner
        .api_version
        .split_once('/')
        .map_or("", |(group, _)| group)
}
