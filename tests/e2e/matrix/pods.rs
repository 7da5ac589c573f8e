//! Pods without a node, with the status that a kubelet would report.

use anyhow::Result;
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::harness::{actions::TARGET, test_env::TestEnv};

impl TestEnv {
    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(
            self.test_cluster.cluster().client().clone(),
            &self.namespace,
        )
    }

    pub async fn consumer(&self, name: &str, started: Timestamp) -> Result<()> {
        self.pod_with(TARGET, name, started).await
    }

    /// A pod as a kubelet would report it, with all of a target in its environment.
    pub async fn pod_with(&self, target: &str, name: &str, started: Timestamp) -> Result<()> {
        let spec = json!({ "containers": [{
            "name": "app", "image": "app", "envFrom": [{ "secretRef": { "name": target } }],
        }] });
        let status = json!({ "containerStatuses": [running("app", started)] });
        self.pod(name, spec, status).await
    }

    /// A pod with this spec, as a kubelet would report it.
    pub async fn pod(&self, name: &str, mut spec: Value, mut status: Value) -> Result<()> {
        spec["terminationGracePeriodSeconds"] = json!(0);
        spec["automountServiceAccountToken"] = json!(false);
        status["phase"] = json!("Running");
        status["conditions"] = json!([{ "type": "Ready", "status": "True" }]);
        let pod = serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec }))?;
        let pods = self.pods();
        pods.create(&PostParams::default(), &pod).await?;
        let status = Patch::Merge(json!({ "status": status }));
        pods.patch_status(name, &PatchParams::default(), &status)
            .await?;
        Ok(())
    }
}

/// The status that a kubelet reports for a container that has run since `started`.
pub fn running(name: &str, started: Timestamp) -> Value {
    container(name, &json!({ "running": { "startedAt": Time(started) } }))
}

/// The status that a kubelet reports for a container that exited with 0.
pub fn ended(name: &str, started: Timestamp) -> Value {
    let times = json!({ "exitCode": 0, "startedAt": Time(started), "finishedAt": Time(started) });
    container(name, &json!({ "terminated": times }))
}

fn container(name: &str, state: &Value) -> Value {
    json!({
        "name": name, "image": "app", "imageID": "", "ready": true, "restartCount": 0, "state": state,
    })
}
