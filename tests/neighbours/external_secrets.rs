//! External Secrets Operator fetches the source, and pushes the target.

use std::sync::Arc;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use cluster::child_process::ChildProcess;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use crate::{
    life::{self, TARGET},
    program::{ACCOUNT, Package, start},
    suite::tests,
    test_env::{TestCluster, TestEnv},
};

tests![
    external_secrets_fetches_the_source,
    external_secrets_pushes_the_target,
];

const PACKAGE: Package = Package {
    module: "external-secrets",
    path: ".",
    name: "external-secrets",
    usual_seconds: 900,
};
const MODULE: &str = "github.com/external-secrets/external-secrets";

async fn started(test_cluster: &TestCluster, home: &str) -> Result<ChildProcess> {
    let cluster = test_cluster.cluster();
    let program = PACKAGE.build().await?;
    for definition in PACKAGE.files(MODULE, "config/crds/bases").await? {
        if definition.contains("kind: CustomResourceDefinition") {
            cluster.define(&definition).await?;
        }
    }
    let args = [
        "--metrics-addr=0",
        "--live-addr=127.0.0.1:0",
        "--enable-cluster-store-reconciler=false",
        "--enable-cluster-external-secret-reconciler=false",
        "--enable-cluster-push-secret-reconciler=false",
    ];
    start(cluster, home, (&program, &args), &[]).await
}

async fn apply(env: &TestEnv, manifest: Value) -> Result<()> {
    let cluster = env.test_cluster.cluster();
    cluster.apply(&manifest.to_string()).await.map(drop)
}

fn store(namespace: &str, provider: &Value) -> Value {
    json!({
        "apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
        "metadata": { "name": "vault", "namespace": namespace },
        "spec": { "provider": provider },
    })
}

/// The setup of docs/gitops.md, with a store that is refreshed every 5 seconds.
async fn external_secrets_fetches_the_source(test_cluster: Arc<TestCluster>) -> Result<()> {
    let start = async |home: &str| started(&test_cluster, home).await;
    let neighbour = test_cluster.neighbour("external-secrets", start).await?;
    let name = "External Secrets fetches the source";
    let mut env = TestEnv::open(test_cluster, name, neighbour, Vec::new()).await?;
    let put = async |env: &TestEnv, (id, secret): (&str, &str)| {
        let pair = json!({ "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret });
        let data = json!([{ "key": "teams/orders/aws", "value": pair.to_string() }]);
        apply(
            env,
            store(&env.namespace, &json!({ "fake": { "data": data } })),
        )
        .await?;
        let fetched = json!({
            "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "metadata": { "name": "pair", "namespace": env.namespace },
            "spec": {
                "refreshInterval": "5s",
                "secretStoreRef": { "kind": "SecretStore", "name": "vault" },
                "target": { "name": "pair", "creationPolicy": "Owner" },
                "dataFrom": [{ "extract": { "key": "teams/orders/aws" } }],
            },
        });
        apply(env, fetched).await
    };
    life::run(&mut env, put, async |_, _, _| Ok(())).await?;
    env.close();
    Ok(())
}

/// The setup of docs/mendix.md, into another namespace. A pushed Secret stays after the resource is deleted.
async fn external_secrets_pushes_the_target(test_cluster: Arc<TestCluster>) -> Result<()> {
    let start = async |home: &str| started(&test_cluster, home).await;
    let neighbour = test_cluster.neighbour("external-secrets", start).await?;
    let vault = test_cluster.cluster().namespace("vault").await?;
    let name = "External Secrets pushes the target";
    let also = vec![vault.clone()];
    let home = neighbour.home.clone();
    let mut env = TestEnv::open(test_cluster, name, neighbour, also).await?;
    let cluster = env.test_cluster.cluster();
    let token = cluster.token(&home, ACCOUNT).await?;
    let authority = STANDARD.encode(cluster.ca_pem());
    let kubernetes = json!({ "kubernetes": {
        "remoteNamespace": vault,
        "server": { "url": cluster.url(), "caBundle": authority },
        "auth": { "token": { "bearerToken": { "name": "vault-token", "key": "token" } } },
    } });
    let login = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "vault-token", "namespace": env.namespace },
        "stringData": { "token": token },
    });
    apply(&env, login).await?;
    apply(&env, store(&env.namespace, &kubernetes)).await?;
    let constant = |key: &str, of: &str| {
        let remote = format!("mx-const-AWSAuthentication.{of}");
        json!({ "match": {
            "secretKey": key, "remoteRef": { "remoteKey": "orders", "property": remote },
        } })
    };
    let push = json!({
        "apiVersion": "external-secrets.io/v1alpha1", "kind": "PushSecret",
        "metadata": { "name": "orders", "namespace": env.namespace },
        "spec": {
            "refreshInterval": "5s",
            "secretStoreRefs": [{ "name": "vault", "kind": "SecretStore" }],
            "selector": { "secret": { "name": TARGET } },
            "data": [
                constant("AWS_ACCESS_KEY_ID", "AccessKey"),
                constant("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ],
        },
    });
    apply(&env, push).await?;
    let pushed: Api<Secret> = Api::namespaced(env.test_cluster.cluster().client(), &vault);
    let put = async |env: &TestEnv, pair: (&str, &str)| env.operator.source("pair", pair).await;
    let seen = async |env: &TestEnv, _: &str, id: Option<&str>| {
        let id = id.unwrap_or(crate::operator::PAIRS[1].0);
        let what = format!("{id} is in the store");
        let found = async || {
            let found = pushed.get_opt("orders").await?;
            Ok(found.filter(|secret| holds(secret, "mx-const-AWSAuthentication.AccessKey", id)))
        };
        env.until(&what, found).await.map(drop)
    };
    life::run(&mut env, put, seen).await?;
    env.close();
    Ok(())
}

/// Whether a Secret has a value under a key.
pub fn holds(secret: &Secret, key: &str, value: &str) -> bool {
    let found = secret.data.as_ref().and_then(|data| data.get(key));
    found.is_some_and(|found| found.0 == value.as_bytes())
}
