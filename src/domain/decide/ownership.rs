//! Who owns the Secret at the target's name, and whether another client edited it.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};

use crate::{
    api::{ADOPT_BY_ANNOTATION, DeletionPolicy, Published, Reason},
    domain::{
        index::{Observed, SecretVersion},
        managers,
        pair::SecretBytes,
        resource::ValidatedCredentials,
        target::{self, FIELD_MANAGER, Owner},
        verdict::Finding,
        words,
    },
};

/// The most bytes of a foreign name or type in a message; the API server does not limit all of them.
const NAMED: usize = 253;

/// The Secret at the target's name, as it was read.
#[derive(Debug)]
pub enum Target {
    /// The Secret does not exist.
    Absent,
    /// The Secret exists.
    Found(Box<FoundTarget>),
}

impl Target {
    /// What the read observed under the Secret's name.
    #[must_use]
    pub fn observed(&self) -> Observed {
        match self {
            Self::Absent => Observed::NotFound,
            Self::Found(found) => Observed::Found(found.seen.clone()),
        }
    }
}

/// A Secret that exists.
#[derive(Debug)]
pub struct FoundTarget {
    /// Metadata, as the index keeps it.
    pub seen: SecretVersion,
    /// All metadata.
    pub metadata: ObjectMeta,
    /// The type of the Secret.
    pub kind: String,
    /// Whether the Secret is immutable.
    pub immutable: bool,
    /// Content.
    pub data: BTreeMap<String, SecretBytes>,
}

/// Who owns a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// The resource.
    Ours,
    /// No owner, and an annotation lets the resource adopt the Secret.
    Adoptable,
    /// The Secret is about to be deleted; then the name is free.
    Terminating(Finding),
    /// Another owner, or none that lets the resource adopt the Secret: never written.
    Foreign(Finding),
}

impl FoundTarget {
    /// Converts a Secret; its bytes move into the type that wipes them.
    #[must_use]
    pub fn new(secret: Secret, seen: SecretVersion) -> Self {
        let wrap =
            |(key, value): (String, k8s_openapi::ByteString)| (key, SecretBytes::new(value.0));
        Self {
            seen,
            metadata: secret.metadata,
            kind: secret.type_.unwrap_or_else(|| "Opaque".to_owned()),
            immutable: secret.immutable == Some(true),
            data: secret
                .data
                .unwrap_or_default()
                .into_iter()
                .map(wrap)
                .collect(),
        }
    }

    /// Who owns the Secret, for a resource and the UID of the Secret that it published. A controller reference
    /// to the resource counts only with our label, or if this is the very object that was published.
    #[must_use]
    pub fn ownership(
        &self,
        resource: &ValidatedCredentials,
        published: Option<&Published>,
    ) -> Ownership {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        let labelled = target::uid_label(&self.metadata) == Some(&resource.uid);
        let ours = match target::controller(&self.metadata) {
            Some(owner) => {
                let is_published =
                    published.is_some_and(|published| self.seen.uid == *published.uid);
                owner.uid == resource.uid && (labelled || is_published)
            }
            None => labelled && resource.deletion_policy == DeletionPolicy::Retain,
        };
        if ours && self.metadata.deletion_timestamp.is_some() {
            return Ownership::Terminating(terminating(name, "is being deleted"));
        }
        if ours {
            return Ownership::Ours;
        }
        match target::controller(&self.metadata) {
            Some(_) if self.owned_by_previous_incarnation(resource) => {
                Ownership::Terminating(terminating(
                    name,
                    "belongs to a deleted resource of the same name and is garbage collected",
                ))
            }
            Some(owner) => {
                let [kind, of] = [&owner.kind, &owner.name].map(|text| words::cut(text, NAMED));
                let by = format!("is controlled by {kind} \"{of}\"");
                Ownership::Foreign(conflict(name, &by))
            }
            None if self.allows_adoption_by(resource) => self.adoption(name),
            None => Ownership::Foreign(conflict(name, "does not belong to this resource")),
        }
    }

    fn owned_by_previous_incarnation(&self, resource: &ValidatedCredentials) -> bool {
        target::our_controller(&self.metadata)
            .is_some_and(|owner| *owner.name == *resource.key.name && owner.uid != resource.uid)
    }

    fn allows_adoption_by(&self, resource: &ValidatedCredentials) -> bool {
        let annotations = self.metadata.annotations.as_ref();
        let named = annotations.and_then(|all| all.get(ADOPT_BY_ANNOTATION));
        named.is_some_and(|named| **named == *resource.key.name)
    }

    fn adoption(&self, name: &str) -> Ownership {
        let refusals = [
            (
                self.metadata.deletion_timestamp.is_some(),
                "it is being deleted",
            ),
            (self.immutable, "it is immutable"),
            (self.kind != "Opaque", "it is not of type Opaque"),
            (
                has(self.metadata.finalizers.as_deref()),
                "it has a finalizer",
            ),
            (
                has(self.metadata.owner_references.as_deref()),
                "it has another owner",
            ),
        ];
        let refusal = refusals.into_iter().find(|(holds, _)| *holds);
        let refusal = refusal.map(|(_, why)| why.to_owned());
        let managed =
            || managers::manager(&self.metadata).map(|by| format!("it is managed by {by}"));
        refusal.or_else(managed).map_or(Ownership::Adoptable, |why| {
            let message = format!(
                "Secret \"{name}\" names this resource in its adopt-by annotation and cannot be adopted: {why}; remove the cause, delete the Secret, or choose another spec.target.name"
            );
            Ownership::Foreign(Finding::new(Reason::AdoptionRefused, message))
        })
    }

    /// Why a Secret of ours cannot be written, if so.
    #[must_use]
    pub fn unwritable(&self) -> Option<Finding> {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        if self.kind != "Opaque" {
            let message = format!(
                "Secret \"{name}\" is of type {}, and a type cannot be changed; delete it, and it is created again",
                words::cut(&self.kind, NAMED)
            );
            return Some(Finding::new(Reason::TargetTypeMismatch, message));
        }
        self.immutable.then(|| {
            let message =
                format!("Secret \"{name}\" was made immutable; delete it, and it is created again");
            Finding::new(Reason::TargetImmutable, message)
        })
    }

    /// Whether content, type and our own metadata are as desired.
    #[must_use]
    pub fn conforms(
        &self,
        resource: &ValidatedCredentials,
        data: &BTreeMap<String, SecretBytes>,
    ) -> bool {
        self.data == *data
            && self.kind == "Opaque"
            && !self.immutable
            && self.carries_names(resource)
            && self.has_references(resource.deletion_policy, resource)
    }

    fn carries_names(&self, resource: &ValidatedCredentials) -> bool {
        let owner = resource.owner();
        let holds = |have: Option<&BTreeMap<String, String>>, want: &BTreeMap<String, String>| {
            want.iter()
                .all(|(key, value)| have.and_then(|have| have.get(key)) == Some(value))
        };
        holds(self.metadata.labels.as_ref(), &owner.labels())
            && holds(self.metadata.annotations.as_ref(), &owner.annotations())
    }

    /// Whether the owner references are those that the policy asks for.
    fn has_references(&self, policy: DeletionPolicy, resource: &ValidatedCredentials) -> bool {
        let owner = Owner {
            deletion_policy: policy,
            ..resource.owner()
        };
        let found = self.metadata.owner_references.as_deref();
        found.unwrap_or_default() == owner.references()
    }

    /// Whether another writer changed the content, judged by `managedFields`, keys and marks: the published
    /// pair is not available for a comparison.
    #[must_use]
    pub fn has_drifted(
        &self,
        resource: &ValidatedCredentials,
        expected: &BTreeSet<String>,
    ) -> bool {
        let others = self.metadata.managed_fields.iter().flatten();
        let foreign = others
            .filter(|entry| entry.manager.as_deref() != Some(FIELD_MANAGER))
            .filter_map(|entry| entry.fields_v1.as_ref())
            .any(|fields| {
                ["f:data", "f:type", "f:immutable"]
                    .iter()
                    .any(|field| fields.0.get(*field).is_some())
            });
        let keys = self.data.keys().eq(expected.iter());
        foreign || !keys || !self.keeps_marks(resource)
    }

    /// Whether type and our own metadata are as desired; the data are ignored.
    #[must_use]
    pub fn keeps_marks(&self, resource: &ValidatedCredentials) -> bool {
        // After a change of policy to Retain, the owner reference may not be removed yet.
        let owned = self.has_references(resource.deletion_policy, resource)
            || resource.deletion_policy == DeletionPolicy::Retain
                && self.has_references(DeletionPolicy::Delete, resource);
        self.kind == "Opaque" && !self.immutable && self.carries_names(resource) && owned
    }

    /// The metadata of a replacement, which keeps finalizers and foreign labels and annotations.
    #[must_use]
    pub fn replacement(&self, resource: &ValidatedCredentials) -> ObjectMeta {
        let owner = resource.owner();
        let mut metadata = owner.metadata(self.metadata.name.as_deref().unwrap_or_default());
        let merge = |old: &Option<BTreeMap<String, String>>,
                     own: Option<BTreeMap<String, String>>| {
            let mut merged = old.clone().unwrap_or_default();
            merged.extend(own.unwrap_or_default());
            Some(merged)
        };
        metadata.labels = merge(&self.metadata.labels, metadata.labels);
        metadata.annotations = merge(&self.metadata.annotations, metadata.annotations);
        metadata.finalizers.clone_from(&self.metadata.finalizers);
        metadata
    }
}

fn has<T>(list: Option<&[T]>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

fn terminating(name: &str, why: &str) -> Finding {
    Finding::new(
        Reason::TargetTerminating,
        format!("Secret \"{name}\" {why}; the target is created when that Secret is gone"),
    )
}

fn conflict(name: &str, why: &str) -> Finding {
    let message = format!(
        "Secret \"{name}\" exists and {why}; choose another spec.target.name, delete the Secret, or annotate an unowned one with {ADOPT_BY_ANNOTATION}"
    );
    Finding::new(Reason::TargetConflict, message)
}
