//! The configuration files of containerd, its network plugins and kubelet.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::PAUSE_IMAGE;
use crate::{certs::Authority, cleanup::cgroup_name, host_allocation::HostAllocation, network};

/// Where the parts of a node keep their files.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) directory: PathBuf,
}

impl Layout {
    pub(super) fn new(allocation: &HostAllocation) -> Result<Self> {
        let directory = allocation.directory().join("node");
        for inside in ["cni", "pod-logs"] {
            std::fs::create_dir_all(directory.join(inside))?;
        }
        Ok(Self { directory })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.path("containerd.sock")
    }

    pub(super) fn pod_logs(&self) -> PathBuf {
        self.path("pod-logs")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

pub(super) fn containerd(layout: &Layout, cni: &Path) -> Result<PathBuf> {
    let text = format!(
        r#"version = 2
root = "{root}"
state = "{state}"

[grpc]
address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{opt}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni}"
conf_dir = "{conf}"
"#,
        root = layout.path("containerd-root").display(),
        state = layout.path("containerd-state").display(),
        socket = layout.socket().display(),
        opt = layout.path("containerd-opt").display(),
        cni = cni.display(),
        conf = layout.path("cni").display(),
    );
    layout.write("containerd.toml", text)
}

pub(super) fn cni(layout: &Layout, allocation: &HostAllocation) -> Result<PathBuf> {
    let config = json!({
        "cniVersion": "0.4.0",
        "name": network::bridge(allocation.number()),
        "plugins": [{
            "type": "bridge",
            "bridge": network::bridge(allocation.number()),
            "isGateway": true,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "dataDir": layout.path("cni-addresses"),
                "ranges": [[{ "subnet": allocation.subnet(), "gateway": allocation.bridge_address() }]],
                "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    });
    layout.write(
        "cni/10-bridge.conflist",
        serde_json::to_vec_pretty(&config)?,
    )
}

pub(super) fn kubelet(
    layout: &Layout,
    allocation: &HostAllocation,
    authority: &Authority,
) -> Result<PathBuf> {
    let address = allocation.bridge_address();
    let serving = authority.server("kubelet", &[address.to_string()])?;
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "port": allocation.port()?,
        "healthzPort": allocation.port()?,
        "tlsCertFile": serving.certificate,
        "tlsPrivateKeyFile": serving.key,
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": false },
            "x509": { "clientCAFile": authority.certificate() },
        },
        "authorization": { "mode": "AlwaysAllow" },
        "containerRuntimeEndpoint": format!("unix://{}", layout.socket().display()),
        "podLogsDir": layout.pod_logs(),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup_name(allocation.number()),
        "failCgroupV1": false,
        "failSwapOn": false,
        "enforceNodeAllocatable": [],
        "makeIPTablesUtilChains": false,
        // The time until a change of a Secret reaches its pods.
        "syncFrequency": "2s",
        // The tests must also run on a full disk, and a removed image of ours could not be pulled again.
        "evictionHard": { "memory.available": "10Mi" },
        "imageGCHighThresholdPercent": 100,
    });
    layout.write("kubelet.yaml", serde_json::to_vec_pretty(&config)?)
}
