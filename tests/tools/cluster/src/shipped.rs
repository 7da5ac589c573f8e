//! Files of the repository that users install.

/// A file of the chart's folder `files`.
macro_rules! yaml {
    ($name:literal) => {
        include_str!(concat!(
            "../../../../charts/static-aws-credentials/files/",
            $name,
            ".yaml"
        ))
    };
}

/// The definitions of the resource and of the class.
pub const CRD: &str = concat!(
    include_str!("../../../../crds/staticawscredentials.awscredentials.dev.yaml"),
    "---\n",
    include_str!("../../../../crds/awscredentialsclasses.awscredentials.dev.yaml"),
);
/// Folder of the chart.
pub const CHART: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../charts/static-aws-credentials"
);
/// The rights of the operator in each namespace that it serves.
pub const RULES: &str = yaml!("rules");
/// Further rights with `rotation.consumers.enabled`.
pub const CONSUMER_RULES: &str = yaml!("consumer-rules");
/// Further rights with `rotation.restart.enabled`.
pub const RESTART_RULES: &str = yaml!("restart-rules");
/// Rights to the classes, which need a `ClusterRole`.
pub const CLASS_RULES: &str = yaml!("class-rules");
/// Rights to the lease.
pub const LEASE_RULES: &str = yaml!("lease-rules");
/// Rights to ask the API server about readers of the metrics.
pub const METRICS_RULES: &str = yaml!("metrics-rules");
/// The alerts.
pub const ALERTS: &str = yaml!("alerts");
/// Grafana's dashboard.
pub const DASHBOARD: &str =
    include_str!("../../../../charts/static-aws-credentials/files/dashboard.json");
