//! The part of a pod that is read: how its containers get a Secret, and since when they run.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ObjectMeta;
use serde::Deserialize;

use super::{
    owner::metadata,
    volume::{Named, Volume},
};

/// A pod. All other fields are skipped during decoding, so that they never take memory.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    /// Only its name, its labels, its owner and its restart annotations are kept.
    #[serde(deserialize_with = "metadata")]
    pub metadata: ObjectMeta,
    pub(super) spec: Spec,
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
    #[serde(default)]
    pub ephemeral_containers: Vec<Container>,
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
    #[serde(default)]
    pub volume_devices: Vec<Device>,
}

/// A volume that a container uses as a raw device.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Device {
    pub name: String,
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
    pub file_key_ref: Option<FileKey>,
}

/// A variable that is read from a file in a volume.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileKey {
    pub volume_name: String,
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
    #[serde(default)]
    pub read_only: bool,
    pub sub_path: Option<String>,
    pub sub_path_expr: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub phase: Option<String>,
    pub start_time: Option<Time>,
    pub conditions: Vec<PodCondition>,
    pub container_statuses: Vec<ContainerStatus>,
    pub init_container_statuses: Vec<ContainerStatus>,
    pub ephemeral_container_statuses: Vec<ContainerStatus>,
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
    pub running: Option<Started>,
    pub terminated: Option<Started>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Started {
    pub started_at: Option<Time>,
}

impl Pod {
    /// The containers that run, and since when.
    pub(super) fn running(&self) -> impl Iterator<Item = (&Container, Option<&Time>)> {
        self.spec.all().filter_map(|container| {
            let running = self.state(container)?.running.as_ref()?;
            Some((container, running.started_at.as_ref()))
        })
    }

    /// The reported state of a container.
    pub(super) fn state(&self, container: &Container) -> Option<&ContainerState> {
        let reported = &self.status;
        let mut statuses = reported
            .container_statuses
            .iter()
            .chain(&reported.init_container_statuses)
            .chain(&reported.ephemeral_container_statuses);
        let status = statuses.find(|status| status.name == container.name)?;
        Some(&status.state)
    }

    pub(super) fn is_ready(&self) -> bool {
        let ready =
            |condition: &PodCondition| condition.kind == "Ready" && condition.status == "True";
        self.status.conditions.iter().any(ready)
    }

    /// Whether no container of it runs any more. A pod may be Failed before its containers are stopped.
    pub(super) fn has_ended(&self) -> bool {
        let is_terminal = matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"));
        is_terminal && self.running().next().is_none()
    }
}

impl Spec {
    /// Every container: plain, init and ephemeral.
    pub(super) fn all(&self) -> impl Iterator<Item = &Container> {
        let containers = self.containers.iter().chain(&self.init_containers);
        containers.chain(&self.ephemeral_containers)
    }
}

impl Container {
    /// The volumes that it can read.
    pub(super) fn volumes(&self) -> impl Iterator<Item = &str> {
        let mounts = self.volume_mounts.iter().map(|mount| mount.name.as_str());
        let values = self.env.iter().filter_map(|one| one.value_from.as_ref());
        let files = values.filter_map(|value| value.file_key_ref.as_ref());
        let files = files.map(|file| file.volume_name.as_str());
        mounts.chain(self.devices()).chain(files)
    }

    /// The volumes that its mounts let it write; the volume itself may still be read-only.
    pub(super) fn writes(&self) -> impl Iterator<Item = &str> {
        let mounts = self.volume_mounts.iter().filter(|mount| !mount.read_only);
        let mounts = mounts.map(|mount| mount.name.as_str());
        mounts.chain(self.devices())
    }

    fn devices(&self) -> impl Iterator<Item = &str> {
        let devices = self.volume_devices.iter();
        devices.map(|device| device.name.as_str())
    }
}
