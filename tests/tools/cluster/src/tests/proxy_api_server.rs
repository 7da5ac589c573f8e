//! The proxy in front of the real API server, over TLS and with a service account's token.

use std::pin::pin;
use std::time::Duration;

use crate::{
    control_plane::{ControlPlane, Options},
    proxy::{Counts, Fault, Proxy, Verb},
};
use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::ObjectMeta;
use kube::{Api, Client, Config};
use tokio::time::timeout;

const LONG: Duration = Duration::from_mins(2);

const WRITER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: writer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects: [{kind: ServiceAccount, name: writer}]
"#;

/// Config maps through the proxy, and the same ones without it.
async fn scene(cluster: &ControlPlane, proxy: &Proxy) -> Result<(Api<ConfigMap>, Api<ConfigMap>)> {
    let namespace = cluster.namespace("proxy").await?;
    let mine = format!("metadata: {{namespace: {namespace}, ");
    cluster.apply(&WRITER.replace("metadata: {", &mine)).await?;
    let url = proxy.url();
    let path = cluster
        .service_account_kubeconfig(&namespace, "writer", Some(&url))
        .await?;
    let kubeconfig = Kubeconfig::read_from(path)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    let through = Api::namespaced(Client::try_from(config)?, &namespace);
    Ok((through, Api::namespaced(cluster.client(), &namespace)))
}

fn named(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

#[tokio::test]
async fn what_goes_through_is_the_real_thing_and_is_counted() -> Result<()> {
    let cluster = ControlPlane::start(Options::default()).await?;
    let proxy = Proxy::start(cluster.url(), &cluster.ca_pem()).await?;
    let (through, past) = scene(&cluster, &proxy).await?;
    assert_eq!(proxy.counts(0), Counts::default());

    let version = through.list(&ListParams::default()).await?;
    let version = version.metadata.resource_version.context("no version")?;
    let mut events = pin!(through.watch(&WatchParams::default(), &version).await?);
    through.create(&PostParams::default(), &named("a")).await?;
    let event = timeout(LONG, events.try_next()).await?.transpose();
    let event = event.context("the watch ended")??;
    assert!(matches!(event, WatchEvent::Added(_)), "{event:?}");
    through.get_metadata("a").await?;
    let mine = proxy.requests();
    let get = mine.last().context("nothing was recorded")?;
    assert_eq!((get.verb, get.metadata_only), (Verb::Get, true));
    let counts = Counts::of(&mine);
    assert_eq!((counts.lists, counts.watches, counts.gets), (1, 1, 1));
    assert_eq!(
        counts.writes.into_iter().collect::<Vec<_>>(),
        [("configmaps".to_owned(), 1)]
    );

    proxy.set_fault(Box::new(|head| match head.verb {
        Verb::Create => Fault::CutAfterCommit,
        _ => Fault::Pass,
    }));
    let cut = through.create(&PostParams::default(), &named("b")).await;
    assert!(
        matches!(
            cut,
            Err(kube::Error::HyperError(_) | kube::Error::Service(_))
        ),
        "{cut:?}"
    );
    past.get("b")
        .await
        .context("the write was not carried out")?;
    proxy.clear_fault();

    let reads = futures::stream::iter(0..300)
        .map(|_| through.get("a"))
        .buffer_unordered(300);
    assert_eq!(reads.try_collect::<Vec<_>>().await?.len(), 300);

    cluster.api_server().kill().await?;
    while let Ok(Some(_)) = timeout(LONG, events.try_next()).await? {}
    let mark = proxy.mark();
    through.get("a").await.expect_err("nobody is there");
    assert!(
        proxy
            .since(mark)
            .iter()
            .all(|request| request.status.is_none())
    );
    cluster.api_server().start()?;
    cluster.ready().await?;
    through
        .get("a")
        .await
        .context("the proxy did not find it again")?;
    Ok(())
}
