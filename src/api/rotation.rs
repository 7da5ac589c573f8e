//! The part of the spec that covers rotations.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{RestartScope, WorkloadKind, messages, rules};

/// What happens after a new pair has replaced a published one.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// Restarts workloads once for each new pair, after the kubelets have delivered it: 90 seconds after its
    /// publication unless `rotation.kubeletSyncPeriod` of the chart has another value. If absent, nothing is
    /// restarted. Requires `rotation.restart.enabled` in the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
}

/// Which workloads are restarted, and how many at once.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(
    validation = Rule::new("(self.scope == 'Workloads') == has(self.workloads)")
        .message(rules::message("spec.rotation.restart.workloads", messages::WORKLOADS_OF_SCOPE))
        .field_path(".workloads")
)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// `Workloads`: the workloads in `workloads`. `Consumers`: every workload of the namespace whose pods
    /// use the target and do not reload it by themselves.
    pub scope: RestartScope,

    /// Workloads in the namespace of this resource, restarted in this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["kind".into(), "name".into()]),
        validation = rules::workloads("spec.rotation.restart.workloads")
    )]
    pub workloads: Option<Vec<WorkloadReference>>,

    /// Number of workloads that are restarted at once, 1 to 50. The next ones follow when all of these are healthy.
    #[serde(default = "one")]
    #[x_kube(
        validation = Rule::new("self >= 1 && self <= 50")
            .message(rules::message("spec.rotation.restart.maxConcurrent", messages::MAX_CONCURRENT))
    )]
    pub max_concurrent: i32,
}

/// A workload in the namespace of the resource.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadReference {
    /// `Deployment`, `StatefulSet` or `DaemonSet`.
    pub kind: WorkloadKind,
    /// Name of the workload.
    #[schemars(length(max = 253))]
    pub name: String,
}

fn one() -> i32 {
    1
}
