//! What a pod keeps that is to follow rotations: its quality of service.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use crate::{
    attempt::{Things, pod},
    injection::ground,
    injection_hot::hot,
    stage::{Stage, tests},
};

tests![a_guaranteed_pod_stays_guaranteed,];

/// Exclusive processors, and the last place among those that are evicted, are for such pods alone.
async fn a_guaranteed_pod_stays_guaranteed(stage: Arc<Stage>) -> Result<()> {
    let resources = json!({ "cpu": "2", "memory": "64Mi" });
    let container = json!({
        "name": "app", "image": "app",
        "resources": { "requests": resources, "limits": resources },
    });
    let manifest = pod(&hot(), json!({ "containers": [container] }));
    let made = ground(&stage).await?.create(Things::Pods, &manifest).await;
    assert_eq!(made?.data["status"]["qosClass"], "Guaranteed");
    Ok(())
}
