//! What is read of a pod: how its containers come by a Secret, and since when they run.

use std::borrow::Cow;

use k8s_openapi::{api::core::v1, apimachinery::pkg::apis::meta::v1::Time};
use kube::{Resource, api::ObjectMeta};
use serde::Deserialize;

/// A pod. Of what it is told nothing else is kept, not even for a moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    /// Only its name is of interest.
    #[serde(deserialize_with = "name")]
    pub metadata: ObjectMeta,
    /// What runs in it.
    pub(super) spec: Spec,
    /// How it does.
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec {
    #[serde(default)]
    pub volumes: Vec<Volume>,
    #[serde(default)]
    pub containers: Vec<Container>,
    #[serde(default)]
    pub init_containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Volume {
    pub name: String,
    pub secret: Option<SecretVolume>,
    pub projected: Option<Projected>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretVolume {
    pub secret_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Projected {
    #[serde(default)]
    pub sources: Vec<ProjectedSource>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ProjectedSource {
    pub secret: Option<Named>,
}

/// A reference by name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub name: String,
    #[serde(default)]
    pub env: Vec<Variable>,
    #[serde(default)]
    pub env_from: Vec<EnvFrom>,
    #[serde(default)]
    pub volume_mounts: Vec<Mount>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    pub name: String,
    pub value: Option<String>,
    pub value_from: Option<ValueFrom>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValueFrom {
    pub secret_key_ref: Option<Named>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvFrom {
    pub secret_ref: Option<Named>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mount {
    pub name: String,
    #[serde(rename = "mountPath")]
    pub path: String,
    pub sub_path: Option<String>,
    pub sub_path_expr: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub phase: Option<String>,
    pub conditions: Vec<PodCondition>,
    pub container_statuses: Vec<ContainerStatus>,
    pub init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PodCondition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ContainerStatus {
    pub name: String,
    #[serde(default)]
    pub state: ContainerState,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ContainerState {
    pub running: Option<Running>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    pub started_at: Option<Time>,
}

fn name<'de, D: serde::Deserializer<'de>>(input: D) -> Result<ObjectMeta, D::Error> {
    Ok(ObjectMeta {
        name: Named::deserialize(input)?.name,
        ..ObjectMeta::default()
    })
}

impl Pod {
    /// The containers that run, and since when. One that does not run has read nothing.
    pub(super) fn running(&self) -> impl Iterator<Item = (&Container, Option<&Time>)> {
        let containers = self
            .spec
            .containers
            .iter()
            .chain(&self.spec.init_containers);
        containers.filter_map(|container| {
            let statuses = &self.status;
            let mut statuses = statuses
                .container_statuses
                .iter()
                .chain(&statuses.init_container_statuses);
            let status = statuses.find(|status| status.name == container.name)?;
            let running = status.state.running.as_ref()?;
            Some((container, running.started_at.as_ref()))
        })
    }

    pub(super) fn is_ready(&self) -> bool {
        let ready =
            |condition: &PodCondition| condition.kind == "Ready" && condition.status == "True";
        self.status.conditions.iter().any(ready)
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"))
    }
}

impl Resource for Pod {
    type DynamicType = ();
    type Scope = <v1::Pod as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        v1::Pod::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        v1::Pod::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        v1::Pod::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        v1::Pod::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
