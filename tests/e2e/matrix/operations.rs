//! The instructions of docs/operations.md and docs/namespaces.md: backup and restore, a namespace that leaves the
//! scope, a quota.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use cluster::sts;
use futures::StreamExt;
use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace, ResourceQuota, Secret},
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
    runtime::watcher::{self, watcher},
};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;
use tokio::task::JoinHandle;

use crate::{
    harness::{
        actions::TARGET,
        invariants::Invariants,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, rights},
    },
    suite::tests,
};

tests![
    f35_a_namespace_is_restored_without_owners_uids_and_status,
    a16_a_restored_status_is_not_believed,
    a_restored_pair_that_aws_refuses_is_not_adopted,
    a_namespace_that_leaves_the_scope_is_left_as_it_is,
    a_quota_on_the_kind_refuses_the_next_one_and_says_why,
];

type Data = std::collections::BTreeMap<String, ByteString>;

/// The data of a Secret after each of its changes.
struct Held {
    data: Arc<Mutex<Vec<Option<Data>>>>,
    watching: JoinHandle<()>,
}

impl Held {
    fn watch(secrets: &Api<Secret>, name: &str) -> Self {
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let (secrets, data) = (secrets.clone(), Arc::<Mutex<Vec<_>>>::default());
        let seen = Arc::clone(&data);
        let watching = tokio::spawn(async move {
            let mut events = std::pin::pin!(watcher(secrets, config));
            while let Some(event) = events.next().await {
                let Ok(watcher::Event::Apply(secret) | watcher::Event::InitApply(secret)) = event
                else {
                    continue;
                };
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push(secret.data);
            }
        });
        Self { data, watching }
    }

    fn end(self) -> Vec<Option<Data>> {
        self.watching.abort();
        let data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        data.clone()
    }
}

/// An environment whose operator serves a further namespace, which can be deleted without the operator's account, as in
/// a real cluster.
async fn beside(test_cluster: Arc<TestCluster>) -> Result<TestEnv> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let own = env.namespace.clone();
    let cluster = env.test_cluster.cluster();
    let client = cluster.client();
    let namespace = cluster.namespace("team").await?;
    cluster.apply(&rights(&namespace, &own)?).await?;
    env.secrets = Api::namespaced(client.clone(), &namespace);
    env.resources = Api::namespaced(client.clone(), &namespace);
    env.invariants = Invariants::of(client, &namespace);
    env.serve(&[&own, &namespace]);
    env.namespace = namespace;
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    Ok(env)
}

/// The Secrets and resources of a namespace, as `kubectl get -o json` shows them.
pub async fn backup(env: &TestEnv) -> Result<Vec<Value>> {
    let kinds = "secrets,staticawscredentials.awscredentials.dev";
    let get = ["get", kinds, "-n", &env.namespace, "-o", "json"];
    let all: Value = serde_json::from_str(&env.test_cluster.cluster().kubectl(&get).await?)?;
    let items = all["items"].as_array().cloned();
    items.context("no items")
}

/// The same without the fields that another cluster, or the namespace once it is created again, would not have.
pub fn stripped(mut objects: Vec<Value>, namespace: &str) -> Vec<Value> {
    for object in &mut objects {
        object["metadata"] = json!({
            "name": object["metadata"]["name"], "namespace": namespace,
            "labels": object["metadata"]["labels"],
            "annotations": object["metadata"]["annotations"],
        });
        if let Some(object) = object.as_object_mut() {
            object.remove("status");
        }
    }
    objects
}

pub async fn restore(env: &TestEnv, objects: &[Value]) -> Result<()> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    env.test_cluster.cluster().apply(&list.to_string()).await?;
    Ok(())
}

/// Deletes the namespace, and creates it again with the operator's rights in it.
async fn lose(env: &TestEnv, account: &str) -> Result<()> {
    let cluster = env.test_cluster.cluster();
    let (name, namespaces) = (&env.namespace, Api::<Namespace>::all(cluster.client()));
    let delete = ["delete", "namespace", name, "--wait=false"];
    cluster.kubectl(&delete).await?;
    env.until("the namespace is gone", async || {
        Ok(namespaces.get_opt(name).await?.is_none().then_some(()))
    })
    .await?;
    let create = ["create", "namespace", name];
    cluster.kubectl(&create).await?;
    cluster.apply(&rights(name, account)?).await?;
    Ok(())
}

/// A namespace that was deleted with all its objects while the operator was stopped, and its backup.
async fn disaster(test_cluster: Arc<TestCluster>) -> Result<(TestEnv, Vec<Value>)> {
    let mut env = beside(test_cluster).await?;
    let saved = backup(&env).await?;
    let account = operators(&saved, &env)?;
    env.stop_operator();
    lose(&env, &account).await?;
    Ok((env, saved))
}

/// The namespace of the operator's account, which is the first in its list.
fn operators(saved: &[Value], env: &TestEnv) -> Result<String> {
    ensure!(saved.len() == 3, "source, target, resource: {saved:#?}");
    env.served().context("it serves nothing")
}

async fn f35_a_namespace_is_restored_without_owners_uids_and_status(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (mut env, saved) = disaster(test_cluster).await?;
    let held = Held::watch(&env.secrets, TARGET);
    restore(&env, &stripped(saved.clone(), &env.namespace)).await?;
    let before = env.secrets.get(TARGET).await?;
    assert!(before.owner_references().is_empty());
    env.start_operator().await?;
    env.until_converged("orders").await?;

    let after = env.secrets.get(TARGET).await?;
    assert_eq!(after.uid(), before.uid(), "it is adopted, not replaced");
    assert_eq!(after.owner_references().len(), 1);
    assert_eq!(env.sts.calls().len(), 2, "the pair is proven anew");
    let held = held.end();
    assert!(held.len() > 1, "{}", held.len());
    assert!(held.iter().all(|data| *data == before.data));
    let saved = saved
        .into_iter()
        .find(|object| object["metadata"]["name"] == TARGET);
    let saved: Secret = serde_json::from_value(saved.context("no target was saved")?)?;
    assert_eq!(after.data, saved.data);
    Ok(())
}

async fn a16_a_restored_status_is_not_believed(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (mut env, saved) = disaster(test_cluster).await?;
    restore(&env, &stripped(saved.clone(), &env.namespace)).await?;
    let old = saved
        .into_iter()
        .find(|object| object["kind"] == "StaticAwsCredentials");
    let old: StaticAwsCredentials = serde_json::from_value(old.context("no resource was saved")?)?;
    let status = Patch::Merge(json!({ "status": old.status }));
    let restored = env
        .resources
        .patch_status("orders", &PatchParams::default(), &status)
        .await?;
    assert_eq!(restored.status, old.status);
    env.start_operator().await?;
    env.until_converged("orders").await?;
    assert_eq!(env.sts.calls().len(), 2, "the pair is proven anew");
    let published = env.published("orders").await?;
    assert_eq!(env.secrets.get(TARGET).await?.uid(), Some(published.uid));
    Ok(())
}

async fn a_restored_pair_that_aws_refuses_is_not_adopted(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (mut env, saved) = disaster(test_cluster).await?;
    restore(&env, &stripped(saved, &env.namespace)).await?;
    let before = env.secrets.get(TARGET).await?;
    let refused = sts::Answer::error(403, "SignatureDoesNotMatch", "no");
    env.sts.answer(PAIR.0, refused);
    env.start_operator().await?;
    env.until_status("orders", "Ready", "False", "SignatureMismatch")
        .await?;
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, before);

    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let after = env.secrets.get(TARGET).await?;
    assert_eq!(after.uid(), before.uid());
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}

async fn a_namespace_that_leaves_the_scope_is_left_as_it_is(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = beside(test_cluster).await?;
    let (own, left) = (
        env.served().context("it serves nothing")?,
        env.namespace.clone(),
    );
    let before = env.resources.get("orders").await?;
    let target = env.secrets.get(TARGET).await?;
    env.stop_operator();
    env.serve(&[&own]);
    env.start_operator().await?;
    env.source("pair", SECOND).await?;
    env.until_queue_empty().await?;
    assert_eq!(env.resources.get("orders").await?, before);
    assert_eq!(env.secrets.get(TARGET).await?, target);
    env.delete_resource("orders").await?;
    env.until_gone(TARGET).await?;

    env.stop_operator();
    env.serve(&[&own, &left]);
    env.start_operator().await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}

async fn a_quota_on_the_kind_refuses_the_next_one_and_says_why(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let cluster = env.test_cluster.cluster();
    let hard = json!({ "count/staticawscredentials.awscredentials.dev": "1" });
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": "pairs", "namespace": env.namespace }, "spec": { "hard": hard },
    });
    cluster.apply(&quota.to_string()).await?;
    // The quota controller, which counts existing objects, does not run here.
    let quotas: Api<ResourceQuota> = Api::namespaced(cluster.client(), &env.namespace);
    let counted = Patch::Merge(json!({ "status": { "hard": hard, "used": hard } }));
    quotas
        .patch_status("pairs", &PatchParams::default(), &counted)
        .await?;
    env.until("the API server counts", async || {
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": "more", "namespace": env.namespace },
            "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
        });
        match cluster.apply(&object.to_string()).await {
            Ok(_) => bail!("a second one is taken"),
            Err(error) => {
                let words = format!("{error:#}");
                let clear = "exceeded quota: pairs, requested: \
                        count/staticawscredentials.awscredentials.dev=1";
                Ok(words.contains(clear).then_some(()))
            }
        }
    })
    .await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    Ok(())
}
