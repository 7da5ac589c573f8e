//! The part of a workload that is read: how its pods get a Secret, and the state of its rollout.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use kube::{Resource, api::ObjectMeta, core::DynamicResourceScope};
use serde::Deserialize;

use super::{Pod, ReloadMode, pod::Spec, reload::template_reload_mode};
use crate::api::{RESTART_ANNOTATION_PREFIX, WorkloadKind, WorkloadReference};

/// A workload. All other fields are skipped during decoding.
#[derive(Clone, Debug, Deserialize)]
pub struct Workload {
    /// Its name, creation time and version, among others.
    pub metadata: ObjectMeta,
    spec: WorkloadSpec,
    #[serde(default)]
    status: WorkloadStatus,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkloadSpec {
    replicas: Option<i32>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    update_strategy: UpdateStrategy,
    template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UpdateStrategy {
    #[serde(rename = "type")]
    kind: Option<String>,
    rolling_update: RollingUpdate,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct RollingUpdate {
    #[serde(default)]
    partition: i32,
}

#[derive(Clone, Debug, Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMeta,
    spec: Spec,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct TemplateMeta {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WorkloadStatus {
    #[serde(rename = "observedGeneration")]
    generation: i64,
    replicas: i32,
    updated_replicas: i32,
    available_replicas: i32,
    desired_number_scheduled: i32,
    updated_number_scheduled: i32,
    number_available: i32,
}

/// The key of the annotation by which a resource restarts workloads.
#[must_use]
pub fn restart_annotation_key(uid: &str) -> String {
    format!("{RESTART_ANNOTATION_PREFIX}{uid}")
}

impl Workload {
    /// How its pods get the content of a Secret, if they use it.
    #[must_use]
    pub fn reload_mode(&self, secret: &str) -> Option<ReloadMode> {
        let template = &self.spec.template;
        template_reload_mode(&template.metadata.annotations, &template.spec, secret)
    }

    /// The publication for which a resource restarted it last.
    #[must_use]
    pub fn restarted_for(&self, uid: &str) -> Option<&str> {
        let annotations = &self.spec.template.metadata.annotations;
        annotations
            .get(&restart_annotation_key(uid))
            .map(String::as_str)
    }

    /// Whether it has no pods of its own, and wants none.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.spec.replicas == Some(0) && self.status.replicas == 0
    }

    /// Whether a pod has the labels of its template, regardless of its owner.
    #[must_use]
    pub fn is_made_like(&self, pod: &Pod) -> bool {
        let wanted = &self.spec.template.metadata.labels;
        let labels = pod.metadata.labels.as_ref();
        let has = |(key, value)| labels.and_then(|all| all.get(key)) == Some(value);
        !wanted.is_empty() && wanted.iter().all(has)
    }

    /// Whether all its pods match its template and are available. A workload whose pods a person or another
    /// controller replaces at a later time (paused, `OnDelete`) is not waited for.
    #[must_use]
    pub fn is_healthy(&self, kind: WorkloadKind) -> bool {
        let (spec, status) = (&self.spec, &self.status);
        let strategy = &spec.update_strategy;
        if spec.paused || strategy.kind.as_deref() == Some("OnDelete") {
            return true;
        }
        let wanted = spec.replicas.unwrap_or(1);
        let (updated, available, has_old_pods) = match kind {
            WorkloadKind::DaemonSet => {
                let wanted = status.desired_number_scheduled;
                (
                    status.updated_number_scheduled >= wanted,
                    status.number_available >= wanted,
                    false,
                )
            }
            WorkloadKind::StatefulSet => (
                status.updated_replicas >= wanted - strategy.rolling_update.partition,
                status.available_replicas >= wanted,
                false,
            ),
            WorkloadKind::Deployment => (
                status.updated_replicas >= wanted,
                status.available_replicas >= wanted,
                status.replicas > status.updated_replicas,
            ),
        };
        let is_observed = Some(status.generation) >= self.metadata.generation;
        is_observed && updated && available && !has_old_pods
    }
}

impl WorkloadReference {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        Some(Self {
            kind: kind.parse().ok()?,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for WorkloadReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

impl Resource for Workload {
    type DynamicType = WorkloadKind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &WorkloadKind) -> Cow<'_, str> {
        kind.as_str().into()
    }

    fn group(_: &WorkloadKind) -> Cow<'_, str> {
        "apps".into()
    }

    fn version(_: &WorkloadKind) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural(kind: &WorkloadKind) -> Cow<'_, str> {
        format!("{}s", kind.as_str().to_lowercase()).into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
