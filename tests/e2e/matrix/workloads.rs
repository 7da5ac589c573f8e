//! Workloads that use a target: Kubernetes' own controllers roll them out, and a test acts as the kubelet.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, ListParams, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::harness::{actions::TARGET, test_env::TestEnv};

pub const KINDS: [(&str, &str); 3] = [
    ("Deployment", "deployments"),
    ("StatefulSet", "statefulsets"),
    ("DaemonSet", "daemonsets"),
];

impl TestEnv {
    pub fn workloads(&self, kind: &str) -> Api<DynamicObject> {
        let known = KINDS.iter().find(|(known, _)| *known == kind);
        let plural = known.map_or("", |(_, plural)| plural);
        let resource =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("apps", "v1", kind), plural);
        let client = self.test_cluster.cluster().client().clone();
        Api::namespaced_with(client, &self.namespace, &resource)
    }

    /// A healthy workload whose pods have these annotations and these sources of variables.
    pub async fn workload(&self, kind: &str, name: &str, pods: Value, from: Value) -> Result<()> {
        let labels = json!({ "app": name });
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name },
            "spec": {
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels, "annotations": pods },
                    "spec": { "containers": [{ "name": "app", "image": "app", "envFrom": from }] },
                },
            },
        });
        if kind == "StatefulSet" {
            object["spec"]["serviceName"] = json!(name);
        }
        let object = serde_json::from_value(object)?;
        self.workloads(kind)
            .create(&PostParams::default(), &object)
            .await?;
        self.heal(kind, name).await
    }

    /// A workload with the target in its environment.
    pub async fn consumer_of(&self, kind: &str, name: &str) -> Result<()> {
        let from = json!([{ "secretRef": { "name": TARGET } }]);
        self.workload(kind, name, json!({}), from).await
    }

    /// Acts as the kubelet until a rollout is complete. The controllers are Kubernetes' own; without a node a
    /// `DaemonSet` has no pods.
    pub async fn heal(&self, kind: &str, name: &str) -> Result<()> {
        if kind == "DaemonSet" {
            return Ok(());
        }
        let pods: Api<Pod> = Api::namespaced(
            self.test_cluster.cluster().client().clone(),
            &self.namespace,
        );
        let of_workload = ListParams::default().labels(&format!("app={name}"));
        let ready = Patch::Merge(json!({ "status": {
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": "True" }],
        } }));
        self.until(&format!("{kind}/{name} is rolled out"), async || {
            for pod in pods.list(&of_workload).await? {
                let (name, parameters) = (pod.name_any(), PatchParams::default());
                // The pod may be deleted meanwhile.
                drop(pods.patch_status(&name, &parameters, &ready).await);
            }
            let workload = self.workloads(kind).get(name).await?;
            let status = &workload.data["status"];
            let is = |key: &str| status[key] == json!(1);
            let all = is("replicas") && is("updatedReplicas") && is("availableReplicas");
            let seen = status["observedGeneration"] == json!(workload.metadata.generation);
            Ok((seen && all).then_some(()))
        })
        .await
    }

    /// The restarted workloads, each with its revision.
    pub async fn marks(&self) -> Result<BTreeMap<String, String>> {
        let uid = self.resources.get("orders").await?.uid().context("uid")?;
        let mark = format!("restart.awscredentials.dev/{uid}");
        let mut marks = BTreeMap::new();
        for (kind, _) in KINDS {
            for workload in self.workloads(kind).list(&ListParams::default()).await? {
                let notes = &workload.data["spec"]["template"]["metadata"]["annotations"];
                if let Some((revision, _)) =
                    notes[&mark].as_str().and_then(|note| note.split_once('@'))
                {
                    marks.insert(
                        format!("{kind}/{}", workload.name_any()),
                        revision.to_owned(),
                    );
                }
            }
        }
        Ok(marks)
    }
}
