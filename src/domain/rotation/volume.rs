//! The part of a volume that is read: the Secrets in it or behind it, and whether containers can write it.

use serde::{Deserialize, de::IgnoredAny};

/// A reference by name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub name: String,
    pub secret: Option<SecretVolume>,
    pub projected: Option<Projected>,
    config_map: Option<IgnoredAny>,
    #[serde(rename = "downwardAPI")]
    downward_api: Option<IgnoredAny>,
    image: Option<IgnoredAny>,
    csi: Option<Driver>,
    azure_file: Option<SecretVolume>,
    cephfs: Option<Driver>,
    cinder: Option<Driver>,
    #[serde(rename = "flexVolume")]
    flex: Option<Driver>,
    iscsi: Option<Driver>,
    rbd: Option<Driver>,
    #[serde(rename = "scaleIO")]
    scale_io: Option<Driver>,
    storageos: Option<Driver>,
}

/// A volume whose driver gets a Secret when the volume is made.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    #[serde(alias = "nodePublishSecretRef")]
    secret_ref: Option<Named>,
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

impl Volume {
    /// Whether a container can write to it: not where only the kubelet writes the content.
    pub(super) fn is_writable(&self) -> bool {
        let read_only = [&self.config_map, &self.downward_api, &self.image];
        self.secret.is_none()
            && self.projected.is_none()
            && read_only.iter().all(|one| one.is_none())
    }

    /// Whether the driver of the volume gets the Secret, once, when a pod starts.
    pub(super) fn is_passed_to_driver(&self, secret: &str) -> bool {
        let drivers = [
            &self.csi,
            &self.cephfs,
            &self.cinder,
            &self.flex,
            &self.iscsi,
            &self.rbd,
            &self.scale_io,
            &self.storageos,
        ];
        let references = drivers.into_iter().flatten();
        let mut names = references.filter_map(|driver| driver.secret_ref.as_ref()?.name.as_deref());
        let azure = self.azure_file.as_ref();
        names.any(|name| name == secret)
            || azure.is_some_and(|file| file.secret_name.as_deref() == Some(secret))
    }
}
