//! The operator's rights and its token are revoked and granted again.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::{
    child_process::ChildProcess,
    kubeconfig::{self, Proof},
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
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, get_http, rights},
    },
    suite::tests,
};

tests![
    f22_rights_that_are_taken_away_and_given_back,
    f23_a_token_that_is_exchanged_and_one_that_is_revoked_first,
];

async fn f22_rights_that_are_taken_away_and_given_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    // An open watch is not authorized again, so the watches have to end.
    let env = TestEnv::settled_with_short_watches(test_cluster, Duration::from_secs(2)).await?;
    let before = env.secrets.get(TARGET).await?;
    let cluster = env.test_cluster.cluster();
    let bindings: Api<RoleBinding> = Api::namespaced(cluster.client(), &env.namespace);
    bindings
        .delete("operator", &DeleteParams::default())
        .await?;
    env.source("pair", SECOND).await?;
    env.until_unready("not allowed").await?;
    let mark = env.proxy.mark();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = env.proxy.since(mark).len();
    assert!(asked <= 15, "{asked} requests in 10 s");
    assert!(env.get_http("/livez").await?.starts_with("HTTP/1.1 200"));
    assert_eq!(env.secrets.get(TARGET).await?, before);

    cluster
        .apply(&rights(&env.namespace, &env.namespace)?)
        .await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(env.secrets.get(TARGET).await?.uid(), before.uid());
    env.ready().await
}

/// A process that reads its token from a file, as the kubelet projects it.
struct Holder {
    token: PathBuf,
    bind: String,
    proxy: Proxy,
    process: ChildProcess,
}

impl Holder {
    async fn start(env: &TestEnv, token: &str) -> Result<Self> {
        let directory = env.test_cluster.cluster().directory();
        let file = |what: &str| directory.join(format!("{}-{what}", env.namespace));
        let (path, bind) = (file("token"), unused_address()?);
        std::fs::write(&path, token)?;
        let proxy = env.test_cluster.proxy().await?;
        let kubeconfig = file("token.kubeconfig");
        kubeconfig::write(&kubeconfig, &proxy.url(), None, Proof::TokenFile(&path))?;
        let flags = ["--namespace", &env.namespace].map(str::to_owned);
        let process = env.replica(&kubeconfig, &bind, &flags)?;
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
async fn token(env: &TestEnv, secret: &str) -> Result<String> {
    let bound = env.secret(secret, &[]).await?;
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
    let client = env.test_cluster.cluster().client();
    let accounts = Api::<ServiceAccount>::namespaced(client, &env.namespace);
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
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::before_start(test_cluster).await?;
    let holder = Holder::start(&env, &token(&env, "token-1").await?).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;

    holder.exchange(&token(&env, "token-2").await?)?;
    tokio::time::sleep(READ_AGAIN).await;
    env.delete_secret("token-1").await?;
    tokio::time::sleep(BELIEVED).await;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(holder.refusals(), 0, "the old one was used no more");

    env.delete_secret("token-2").await?;
    tokio::time::sleep(BELIEVED).await;
    env.source("pair", PAIR).await?;
    env.until("the token is refused", async || {
        Ok((holder.refusals() > 0).then_some(()))
    })
    .await?;
    holder.exchange(&token(&env, "token-3").await?)?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert!(holder.process.is_running());
    let ready = get_http(&holder.bind, "/livez").await?;
    assert!(ready.starts_with("HTTP/1.1 200"));
    Ok(())
}
