//! External Secrets Operator fetches the source, and pushes the target.

use std::sync::Arc;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use cluster::leash::Leashed;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use crate::{
    life::{self, TARGET},
    program::{ACCOUNT, Package, start},
    scene::{Scene, Stage},
    suite::tests,
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

async fn started(stage: &Stage, home: &str) -> Result<Leashed> {
    let cluster = stage.cluster();
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

async fn apply(scene: &Scene, manifest: Value) -> Result<()> {
    let cluster = scene.stage.cluster();
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
async fn external_secrets_fetches_the_source(stage: Arc<Stage>) -> Result<()> {
    let start = async |home: &str| started(&stage, home).await;
    let neighbour = stage.neighbour("external-secrets", start).await?;
    let name = "External Secrets fetches the source";
    let mut scene = Scene::open(stage, name, neighbour, Vec::new()).await?;
    let put = async |scene: &Scene, (id, secret): (&str, &str)| {
        let pair = json!({ "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret });
        let data = json!([{ "key": "teams/orders/aws", "value": pair.to_string() }]);
        apply(
            scene,
            store(&scene.namespace, &json!({ "fake": { "data": data } })),
        )
        .await?;
        let fetched = json!({
            "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "metadata": { "name": "pair", "namespace": scene.namespace },
            "spec": {
                "refreshInterval": "5s",
                "secretStoreRef": { "kind": "SecretStore", "name": "vault" },
                "target": { "name": "pair", "creationPolicy": "Owner" },
                "dataFrom": [{ "extract": { "key": "teams/orders/aws" } }],
            },
        });
        apply(scene, fetched).await
    };
    life::play(&mut scene, put, async |_, _, _| Ok(())).await?;
    scene.close();
    Ok(())
}

/// The setup of docs/mendix.md, into another namespace. A pushed Secret stays after the resource is deleted.
async fn external_secrets_pushes_the_target(stage: Arc<Stage>) -> Result<()> {
    let start = async |home: &str| started(&stage, home).await;
    let neighbour = stage.neighbour("external-secrets", start).await?;
    let vault = stage.cluster().namespace("vault").await?;
    let name = "External Secrets pushes the target";
    let also = vec![vault.clone()];
    let home = neighbour.home.clone();
    let mut scene = Scene::open(stage, name, neighbour, also).await?;
    let cluster = scene.stage.cluster();
    let token = cluster.token(&home, ACCOUNT).await?;
    let authority = STANDARD.encode(cluster.ca_pem());
    let kubernetes = json!({ "kubernetes": {
        "remoteNamespace": vault,
        "server": { "url": cluster.url(), "caBundle": authority },
        "auth": { "token": { "bearerToken": { "name": "vault-token", "key": "token" } } },
    } });
    let login = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "vault-token", "namespace": scene.namespace },
        "stringData": { "token": token },
    });
    apply(&scene, login).await?;
    apply(&scene, store(&scene.namespace, &kubernetes)).await?;
    let constant = |key: &str, of: &str| {
        let remote = format!("mx-const-AWSAuthentication.{of}");
        json!({ "match": {
            "secretKey": key, "remoteRef": { "remoteKey": "orders", "property": remote },
        } })
    };
    let push = json!({
        "apiVersion": "external-secrets.io/v1alpha1", "kind": "PushSecret",
        "metadata": { "name": "orders", "namespace": scene.namespace },
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
    apply(&scene, push).await?;
    let pushed: Api<Secret> = Api::namespaced(scene.stage.cluster().client(), &vault);
    let put = async |scene: &Scene, pair: (&str, &str)| scene.operator.source("pair", pair).await;
    let seen = async |scene: &Scene, _: &str, id: Option<&str>| {
        let id = id.unwrap_or(crate::operator::PAIRS[1].0);
        let what = format!("{id} is in the store");
        let found = async || {
            let found = pushed.get_opt("orders").await?;
            Ok(found.filter(|secret| holds(secret, "mx-const-AWSAuthentication.AccessKey", id)))
        };
        scene.until(&what, found).await.map(drop)
    };
    life::play(&mut scene, put, seen).await?;
    scene.close();
    Ok(())
}

/// Whether a Secret has a value under a key.
pub fn holds(secret: &Secret, key: &str, value: &str) -> bool {
    let found = secret.data.as_ref().and_then(|data| data.get(key));
    found.is_some_and(|found| found.0 == value.as_bytes())
}
