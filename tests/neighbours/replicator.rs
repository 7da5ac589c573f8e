//! kubernetes-replicator copies the source from another namespace, and the target into another namespace.

use std::sync::Arc;

use anyhow::Result;
use cluster::child_process::ChildProcess;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    external_secrets::holds,
    life::{self, TARGET},
    program::{Package, start},
    suite::tests,
    test_env::{TestCluster, TestEnv},
};

tests![replicator_brings_the_source, replicator_copies_the_target,];

const PACKAGE: Package = Package {
    module: "replicator",
    path: "github.com/mittwald/kubernetes-replicator",
    name: "kubernetes-replicator",
    usual_seconds: 150,
};

async fn started(test_cluster: &TestCluster, home: &str) -> Result<ChildProcess> {
    let cluster = test_cluster.cluster();
    let program = PACKAGE.build().await?;
    let args = [
        "-kubeconfig=KUBECONFIG",
        "-status-addr=127.0.0.1:0",
        "-allow-all",
    ];
    start(cluster, home, (&program, &args), &[]).await
}

async fn replicator_brings_the_source(test_cluster: Arc<TestCluster>) -> Result<()> {
    let start = async |home: &str| started(&test_cluster, home).await;
    let neighbour = test_cluster.neighbour("replicator", start).await?;
    let vault = test_cluster.cluster().namespace("vault").await?;
    let name = "kubernetes-replicator brings the source";
    let mut env = TestEnv::open(test_cluster, name, neighbour, Vec::new()).await?;
    let put = async |env: &TestEnv, (id, secret): (&str, &str)| {
        let key = "replicator.v1.mittwald.de/replicate-to";
        let kept = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "pair", "namespace": vault, "annotations": { key: env.namespace },
            },
            "stringData": { "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret },
        });
        let cluster = env.test_cluster.cluster();
        cluster.apply(&kept.to_string()).await.map(drop)
    };
    life::run(&mut env, put, async |_, _, _| Ok(())).await?;
    env.close();
    Ok(())
}

/// Our operator serves the copy's namespace too.
async fn replicator_copies_the_target(test_cluster: Arc<TestCluster>) -> Result<()> {
    let start = async |home: &str| started(&test_cluster, home).await;
    let neighbour = test_cluster.neighbour("replicator", start).await?;
    let other = test_cluster.cluster().namespace("other").await?;
    let name = "kubernetes-replicator copies the target";
    let also = vec![other.clone()];
    let mut env = TestEnv::open(test_cluster, name, neighbour, also).await?;
    let copies: Api<Secret> = Api::namespaced(env.test_cluster.cluster().client(), &other);
    let put = async |env: &TestEnv, pair: (&str, &str)| env.operator.source("pair", pair).await;
    let seen = async |env: &TestEnv, step: &str, id: Option<&str>| {
        if id.is_some() {
            // A deleted target is recreated without this annotation.
            let key = "replicator.v1.mittwald.de/replicate-to";
            let mark = json!({ "metadata": { "annotations": { key: other } } });
            let parameters = PatchParams::default();
            let patch = Patch::Merge(&mark);
            env.operator
                .secrets
                .patch(TARGET, &parameters, &patch)
                .await?;
        }
        let what = format!("{step}: the copy follows");
        let follows = async || {
            let copy = copies.get_opt(TARGET).await?;
            let is = match (&copy, id) {
                (Some(copy), Some(id)) => holds(copy, "AWS_ACCESS_KEY_ID", id),
                (copy, id) => copy.is_none() && id.is_none(),
            };
            Ok(is.then_some(()))
        };
        env.until(&what, follows).await
    };
    life::run(&mut env, put, seen).await?;
    env.close();
    Ok(())
}
