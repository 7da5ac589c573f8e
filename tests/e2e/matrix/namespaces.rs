//! One of several namespaces is deleted and comes back.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use kube::Api;
use serde_json::json;
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    harness::{
        test_cluster::rights,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    suite::tests,
};

tests![a_namespace_that_goes_keeps_no_other_from_being_served_and_is_served_when_it_comes_back];

const UNSERVED: &str = "is not served";

/// To the operator, a deleted namespace is one without its role binding, so only the role binding is deleted.
async fn a_namespace_that_goes_keeps_no_other_from_being_served_and_is_served_when_it_comes_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let cluster = env.test_cluster.cluster();
    let own = env.namespace.clone();
    let other = cluster.namespace("second").await?;
    cluster.apply(&rights(&other, &own)?).await?;
    env.serve(&[&own, &other]);
    env.proxy.end_watches_after(Duration::from_secs(1));
    env.start_operator().await?;
    let readyz = env.get_http("/readyz").await?;
    assert!(!readyz.contains(UNSERVED), "{readyz}");

    let gone = ["-n", &other, "delete", "rolebinding/operator"];
    env.test_cluster.cluster().kubectl(&gone).await?;
    until_unserved(&env, true).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_ready("orders").await?;
    // As by an upgrade while the namespace is not served.
    env.stop_operator();
    env.start_operator().await?;
    until_unserved(&env, true).await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;

    let manifests = [
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pair", "namespace": other },
            "stringData": { "AWS_ACCESS_KEY_ID": PAIR.0, "AWS_SECRET_ACCESS_KEY": PAIR.1 },
        }),
        json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": "billing", "namespace": other },
            "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
        }),
    ];
    let cluster = env.test_cluster.cluster();
    cluster.apply(&rights(&other, &own)?).await?;
    for manifest in manifests {
        cluster.apply(&manifest.to_string()).await?;
    }
    until_unserved(&env, false).await?;
    let resources = Api::<StaticAwsCredentials>::namespaced(cluster.client(), &other);
    let ready = Some(("True".to_owned(), "Published".to_owned()));
    let served = env.until("it is served again", async || {
        let object = resources.get("billing").await?;
        Ok((condition(&object, "Ready") == ready).then_some(()))
    });
    served.await
}

/// Waits until `/readyz` reports a namespace as not served, or none. The process has to be ready.
async fn until_unserved(env: &TestEnv, unserved: bool) -> Result<()> {
    let reported = env.until("/readyz tells it", async || {
        let answer = env.get_http("/readyz").await?;
        let ready = answer.starts_with("HTTP/1.1 200");
        Ok((ready && answer.contains(UNSERVED) == unserved).then_some(()))
    });
    reported.await
}
