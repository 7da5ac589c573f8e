//! The owner of a pod.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ObjectMeta;
use serde::Deserialize;

use super::Pod;
use crate::api::{RESTART_ANNOTATION_PREFIX, WorkloadKind};

/// The part of a pod's metadata that is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
}

/// OpenShift's annotation of the pods of a `DeploymentConfig`.
const DEPLOYMENT_CONFIG: &str = "openshift.io/deployment-config.name";

/// Labels that tell the `ReplicaSet`s of these kinds apart. The name of a `ReplicaSet` ends in the label's value.
const HASH_LABELS: [(&str, &str); 2] = [
    ("pod-template-hash", "Deployment"),
    ("rollouts-pod-template-hash", "Rollout"),
];

impl Metadata {
    /// The top-level owner of the pod: the Deployment, not its `ReplicaSet`.
    fn top_level_owner(&mut self) -> Option<OwnerReference> {
        let all = std::mem::take(&mut self.owner_references);
        let mut owner = all.into_iter().find(|one| one.controller == Some(true))?;
        match owner.kind.as_str() {
            "ReplicaSet" => {
                let labels = self.labels.as_ref();
                let parent = HASH_LABELS.into_iter().find_map(|(label, kind)| {
                    let hash = labels?.get(label)?;
                    let name = owner.name.strip_suffix(hash)?.strip_suffix('-')?;
                    Some((kind, name.to_owned()))
                });
                if let Some((kind, name)) = parent {
                    (owner.kind, owner.name) = (kind.to_owned(), name);
                }
            }
            "ReplicationController" => {
                let annotations = self.annotations.as_ref();
                if let Some(name) = annotations.and_then(|all| all.get(DEPLOYMENT_CONFIG)) {
                    (owner.kind, owner.name) = ("DeploymentConfig".to_owned(), name.clone());
                }
            }
            _ => {}
        }
        Some(owner)
    }
}

pub(super) fn metadata<'de, D: serde::Deserializer<'de>>(input: D) -> Result<ObjectMeta, D::Error> {
    let mut metadata = Metadata::deserialize(input)?;
    let owner = metadata.top_level_owner();
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|key, _| key.starts_with(RESTART_ANNOTATION_PREFIX));
    }
    Ok(ObjectMeta {
        owner_references: owner.map(|owner| vec![owner]),
        annotations: metadata.annotations,
        name: metadata.name,
        labels: metadata.labels,
        ..ObjectMeta::default()
    })
}

impl Pod {
    /// Its owner, such as `Deployment/orders`. A kind of another group with the name of a workload kind carries its
    /// group, such as `StatefulSet.apps.kruise.io/orders`; a pod without an owner is `Pod/NAME`.
    #[must_use]
    pub fn owner(&self) -> String {
        let Some(owner) = self.metadata.owner_references.iter().flatten().next() else {
            return format!("Pod/{}", self.metadata.name.as_deref().unwrap_or_default());
        };
        let group = owner
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        let kind = &owner.kind;
        if kind.parse::<WorkloadKind>().is_ok() && group != "apps" {
            return format!("{kind}.{group}/{}", owner.name);
        }
        format!("{kind}/{}", owner.name)
    }
}
