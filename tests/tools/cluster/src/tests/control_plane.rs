//! The control plane as the other suites use it.

use std::time::Duration;

use crate::control_plane::{ControlPlane, Options, Restored};
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, Config,
    api::{ListParams, ObjectMeta, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};

const READER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
"#;

#[tokio::test]
async fn a_service_account_has_only_its_rights() -> Result<()> {
    let cluster = ControlPlane::start(Options::default()).await?;
    let namespace = cluster.namespace("rights").await?;
    let manifests = READER.replace(
        "metadata: {",
        &format!("metadata: {{namespace: {namespace}, "),
    );
    cluster.apply(&manifests).await?;

    let path = cluster
        .service_account_kubeconfig(&namespace, "reader", None)
        .await?;
    let kubeconfig = Kubeconfig::read_from(path)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    let maps = Api::<ConfigMap>::namespaced(Client::try_from(config)?, &namespace);

    let list = maps.list(&ListParams::default()).await?;
    assert_eq!(list.items.len(), 1, "the authority's certificate is there");
    let refused = maps
        .create(&PostParams::default(), &config_map("mine"))
        .await;
    let kube::Error::Api(status) = refused.err().context("a reader may not write")? else {
        anyhow::bail!("the answer is not from the API server");
    };
    assert!(status.is_forbidden(), "{status:?}");
    Ok(())
}

#[tokio::test]
async fn objects_survive_a_killed_api_server_and_a_killed_etcd() -> Result<()> {
    let cluster = ControlPlane::start(Options {
        audit: true,
        ..Options::default()
    })
    .await?;
    let namespace = cluster.namespace("faults").await?;
    let maps = Api::<ConfigMap>::namespaced(cluster.client(), &namespace);
    maps.create(&PostParams::default(), &config_map("kept"))
        .await?;

    cluster.api_server().kill().await?;
    assert!(maps.get("kept").await.is_err(), "no server, no answer");
    assert!(cluster.check().is_err(), "a killed part is missed");
    cluster.api_server().start()?;
    cluster.ready().await?;
    maps.get("kept").await?;

    cluster.etcd().kill().await?;
    let read = tokio::time::timeout(Duration::from_secs(2), maps.get("kept")).await;
    assert!(!matches!(read, Ok(Ok(_))), "a consistent read needs etcd");
    cluster.etcd().start()?;
    cluster.ready().await?;
    maps.get("kept").await?;

    let audit = std::fs::read_to_string(cluster.audit_log().context("an audit log")?)?;
    assert!(audit.lines().any(|line| line.contains("\"kept\"")));
    let version = cluster.kubectl(&["version"]).await?;
    assert!(version.contains("Server Version: v1."), "{version}");
    Ok(())
}

#[tokio::test]
async fn a_control_plane_freezes_forgets_and_goes_back() -> Result<()> {
    let cluster = ControlPlane::start(Options::default()).await?;
    let namespace = cluster.namespace("faults").await?;
    let maps = Api::<ConfigMap>::namespaced(cluster.client(), &namespace);
    let made = maps
        .create(&PostParams::default(), &config_map("kept"))
        .await?;

    cluster.api_server().freeze().await?;
    let read = tokio::time::timeout(Duration::from_secs(2), maps.get("kept")).await;
    assert!(read.is_err(), "it answers: {read:?}");
    cluster.api_server().thaw();
    cluster.ready().await?;

    let saved = cluster.directory().join("saved");
    cluster.save_snapshot(&saved).await?;
    let later = maps
        .create(&PostParams::default(), &config_map("later"))
        .await?;
    let version = |map: &ConfigMap| -> Result<u64> {
        let version = map.metadata.resource_version.as_deref();
        Ok(version.context("a version")?.parse()?)
    };
    let compacted = cluster.compact().await?;
    assert!(compacted >= version(&later)?, "{compacted}");
    for restored in [Restored::AsItWas, Restored::Bumped] {
        cluster.restore_snapshot(&saved, restored).await?;
        assert_eq!(maps.get("kept").await?, made);
        assert!(maps.get_opt("later").await?.is_none());
        // The API server writes some objects of its own when it starts.
        let far_ahead = cluster.revision().await? > version(&later)? + 1_000_000;
        assert_eq!(far_ahead, restored == Restored::Bumped);
    }
    Ok(())
}

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}
