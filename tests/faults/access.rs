//! The operator's rights and its token are revoked and granted again.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::{
    kubeconfig::{self, Proof},
    leash::Leashed,
    ports::unused_address,
    proxy::Proxy,
};
use k8s_openapi::api::{
    authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
    rbac::v1::RoleBinding,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    scene::{PAIR, SECOND, Scene, Stage, get_http, rights},
};

tests![
    f22_rights_that_are_taken_away_and_given_back,
    f23_a_token_that_is_exchanged_and_one_that_is_revoked_first,
];

async fn f22_rights_that_are_taken_away_and_given_back(stage: Arc<Stage>) -> Result<()> {
    // An open watch is not authorized again, so the watches have to end.
    let scene = Scene::settled_with_short_watches(stage, Duration::from_secs(2)).await?;
    let before = scene.secrets.get(TARGET).await?;
    let cluster = scene.stage.cluster();
    let bindings: Api<RoleBinding> = Api::namespaced(cluster.client(), &scene.namespace);
    bindings
        .delete("operator", &DeleteParams::default())
        .await?;
    scene.source("pair", SECOND).await?;
    scene.until_unready("not allowed").await?;
    let mark = scene.proxy.mark();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = scene.proxy.since(mark).len();
    assert!(asked <= 15, "{asked} requests in 10 s");
    assert!(scene.get_http("/livez").await?.starts_with("HTTP/1.1 200"));
    assert_eq!(scene.secrets.get(TARGET).await?, before);

    cluster
        .apply(&rights(&scene.namespace, &scene.namespace)?)
        .await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(scene.secrets.get(TARGET).await?.uid(), before.uid());
    scene.ready().await
}

/// A process that reads its token from a file, as the kubelet projects it.
struct Holder {
    token: PathBuf,
    bind: String,
    proxy: Proxy,
    process: Leashed,
}

impl Holder {
    async fn start(scene: &Scene, token: &str) -> Result<Self> {
        let directory = scene.stage.cluster().directory();
        let file = |what: &str| directory.join(format!("{}-{what}", scene.namespace));
        let (path, bind) = (file("token"), unused_address()?);
        std::fs::write(&path, token)?;
        let proxy = scene.stage.proxy().await?;
        let kubeconfig = file("token.kubeconfig");
        kubeconfig::write(&kubeconfig, &proxy.url(), None, Proof::TokenFile(&path))?;
        let flags = ["--namespace", &scene.namespace].map(str::to_owned);
        let process = scene.replica(&kubeconfig, &bind, &flags)?;
        Ok(Self {
            token: path,
            bind,
            proxy,
            process,
        })
    }

    /// Atomically, as the kubelet does.
    fn exchange(&self, token: &str) -> Result<()> {
        let new = self.token.with_extension("new");
        std::fs::write(&new, token)?;
        Ok(std::fs::rename(new, &self.token)?)
    }

    fn refusals(&self) -> usize {
        let requests = self.proxy.requests();
        let refused = requests.iter().filter(|by| by.status == Some(401));
        refused.count()
    }
}

/// A token that is valid as long as this Secret exists.
async fn token(scene: &Scene, secret: &str) -> Result<String> {
    let bound = scene.secret(secret, &[]).await?;
    let request = TokenRequest {
        spec: TokenRequestSpec {
            expiration_seconds: Some(3600),
            bound_object_ref: Some(BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Secret".to_owned()),
                name: Some(secret.to_owned()),
                uid: bound.uid(),
            }),
            ..TokenRequestSpec::default()
        }
        .into(),
        ..TokenRequest::default()
    };
    let client = scene.stage.cluster().client();
    let accounts = Api::<ServiceAccount>::namespaced(client, &scene.namespace);
    let parameters = PostParams::default();
    let granted = accounts
        .create_token_request("operator", &parameters, &request)
        .await?;
    let status = granted.status.context("no status")?;
    status.token.context("no token")
}

/// The client rereads the file after 1 minute, and the API server caches an authenticated token for 10 s.
const READ_AGAIN: Duration = Duration::from_secs(62);
const BELIEVED: Duration = Duration::from_secs(12);

async fn f23_a_token_that_is_exchanged_and_one_that_is_revoked_first(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::before_start(stage).await?;
    let holder = Holder::start(&scene, &token(&scene, "token-1").await?).await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;

    holder.exchange(&token(&scene, "token-2").await?)?;
    tokio::time::sleep(READ_AGAIN).await;
    scene.delete_secret("token-1").await?;
    tokio::time::sleep(BELIEVED).await;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(holder.refusals(), 0, "the old one was used no more");

    scene.delete_secret("token-2").await?;
    tokio::time::sleep(BELIEVED).await;
    scene.source("pair", PAIR).await?;
    scene
        .until("the token is refused", async || {
            Ok((holder.refusals() > 0).then_some(()))
        })
        .await?;
    holder.exchange(&token(&scene, "token-3").await?)?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert!(holder.process.is_running());
    let ready = get_http(&holder.bind, "/livez").await?;
    assert!(ready.starts_with("HTTP/1.1 200"));
    Ok(())
}
