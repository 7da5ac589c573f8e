//! A pod with hot rotation keeps its quality of service.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use crate::{
    policies::{
        attempt::{Things, pod},
        injection::fixture,
        injection_hot::hot,
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![a_guaranteed_pod_stays_guaranteed,];

/// Only Guaranteed pods can get exclusive CPUs, and they are evicted last.
async fn a_guaranteed_pod_stays_guaranteed(test_cluster: Arc<TestCluster>) -> Result<()> {
    let resources = json!({ "cpu": "2", "memory": "64Mi" });
    let container = json!({
        "name": "app", "image": "app",
        "resources": { "requests": resources, "limits": resources },
    });
    let manifest = pod(&hot(), json!({ "containers": [container] }));
    let made = fixture(&test_cluster)
        .await?
        .create(Things::Pods, &manifest)
        .await;
    assert_eq!(made?.data["status"]["qosClass"], "Guaranteed");
    Ok(())
}
