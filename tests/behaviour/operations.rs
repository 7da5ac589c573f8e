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
    actions::{TARGET, tests},
    scene::{PAIR, SECOND, Scene, Stage, rights},
    witness::Witness,
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

/// A scene whose operator serves a namespace beside its own, as in a cluster: that namespace can be deleted without the
/// operator's account.
async fn beside(stage: Arc<Stage>) -> Result<Scene> {
    let mut scene = Scene::before_start(stage).await?;
    let own = scene.namespace.clone();
    let cluster = scene.stage.cluster();
    let client = cluster.client();
    let namespace = cluster.namespace("team").await?;
    cluster.apply(&rights(&namespace, &own)?).await?;
    scene.secrets = Api::namespaced(client.clone(), &namespace);
    scene.resources = Api::namespaced(client.clone(), &namespace);
    scene.witness = Witness::of(client, &namespace);
    scene.serve(&[&own, &namespace]);
    scene.namespace = namespace;
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    Ok(scene)
}

/// The Secrets and resources of a namespace, as `kubectl get -o json` shows them.
pub async fn backup(scene: &Scene) -> Result<Vec<Value>> {
    let kinds = "secrets,staticawscredentials.awscredentials.dev";
    let get = ["get", kinds, "-n", &scene.namespace, "-o", "json"];
    let all: Value = serde_json::from_str(&scene.stage.cluster().kubectl(&get).await?)?;
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

pub async fn restore(scene: &Scene, objects: &[Value]) -> Result<()> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    scene.stage.cluster().apply(&list.to_string()).await?;
    Ok(())
}

/// Deletes the namespace, and creates it again with the operator's rights in it.
async fn lose(scene: &Scene, account: &str) -> Result<()> {
    let cluster = scene.stage.cluster();
    let (name, namespaces) = (&scene.namespace, Api::<Namespace>::all(cluster.client()));
    let delete = ["delete", "namespace", name, "--wait=false"];
    cluster.kubectl(&delete).await?;
    scene
        .until("the namespace is gone", async || {
            Ok(namespaces.get_opt(name).await?.is_none().then_some(()))
        })
        .await?;
    let create = ["create", "namespace", name];
    cluster.kubectl(&create).await?;
    cluster.apply(&rights(name, account)?).await?;
    Ok(())
}

/// A namespace that was deleted with all its objects while the operator was stopped, and its backup.
async fn disaster(stage: Arc<Stage>) -> Result<(Scene, Vec<Value>)> {
    let mut scene = beside(stage).await?;
    let saved = backup(&scene).await?;
    let account = operators(&saved, &scene)?;
    scene.stop_operator();
    lose(&scene, &account).await?;
    Ok((scene, saved))
}

/// The namespace of the operator's account, which is the first in its list.
fn operators(saved: &[Value], scene: &Scene) -> Result<String> {
    ensure!(saved.len() == 3, "source, target, resource: {saved:#?}");
    scene.served().context("it serves nothing")
}

async fn f35_a_namespace_is_restored_without_owners_uids_and_status(
    stage: Arc<Stage>,
) -> Result<()> {
    let (mut scene, saved) = disaster(stage).await?;
    let held = Held::watch(&scene.secrets, TARGET);
    restore(&scene, &stripped(saved.clone(), &scene.namespace)).await?;
    let before = scene.secrets.get(TARGET).await?;
    assert!(before.owner_references().is_empty());
    scene.start_operator().await?;
    scene.until_agreed("orders").await?;

    let after = scene.secrets.get(TARGET).await?;
    assert_eq!(after.uid(), before.uid(), "it is adopted, not replaced");
    assert_eq!(after.owner_references().len(), 1);
    assert_eq!(scene.sts.calls().len(), 2, "the pair is proven anew");
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

async fn a16_a_restored_status_is_not_believed(stage: Arc<Stage>) -> Result<()> {
    let (mut scene, saved) = disaster(stage).await?;
    restore(&scene, &stripped(saved.clone(), &scene.namespace)).await?;
    let old = saved
        .into_iter()
        .find(|object| object["kind"] == "StaticAwsCredentials");
    let old: StaticAwsCredentials = serde_json::from_value(old.context("no resource was saved")?)?;
    let status = Patch::Merge(json!({ "status": old.status }));
    let restored = scene
        .resources
        .patch_status("orders", &PatchParams::default(), &status)
        .await?;
    assert_eq!(restored.status, old.status);
    scene.start_operator().await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.sts.calls().len(), 2, "the pair is proven anew");
    let published = scene.published("orders").await?;
    assert_eq!(scene.secrets.get(TARGET).await?.uid(), Some(published.uid));
    Ok(())
}

async fn a_restored_pair_that_aws_refuses_is_not_adopted(stage: Arc<Stage>) -> Result<()> {
    let (mut scene, saved) = disaster(stage).await?;
    restore(&scene, &stripped(saved, &scene.namespace)).await?;
    let before = scene.secrets.get(TARGET).await?;
    let refused = sts::Answer::error(403, "SignatureDoesNotMatch", "no");
    scene.sts.answer(PAIR.0, refused);
    scene.start_operator().await?;
    scene
        .until_status("orders", "Ready", "False", "SignatureMismatch")
        .await?;
    scene.until_idle().await?;
    assert_eq!(scene.secrets.get(TARGET).await?, before);

    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    let after = scene.secrets.get(TARGET).await?;
    assert_eq!(after.uid(), before.uid());
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}

async fn a_namespace_that_leaves_the_scope_is_left_as_it_is(stage: Arc<Stage>) -> Result<()> {
    let mut scene = beside(stage).await?;
    let (own, left) = (
        scene.served().context("it serves nothing")?,
        scene.namespace.clone(),
    );
    let before = scene.resources.get("orders").await?;
    let target = scene.secrets.get(TARGET).await?;
    scene.stop_operator();
    scene.serve(&[&own]);
    scene.start_operator().await?;
    scene.source("pair", SECOND).await?;
    scene.until_queue_empty().await?;
    assert_eq!(scene.resources.get("orders").await?, before);
    assert_eq!(scene.secrets.get(TARGET).await?, target);
    scene.delete_resource("orders").await?;
    scene.until_gone(TARGET).await?;

    scene.stop_operator();
    scene.serve(&[&own, &left]);
    scene.start_operator().await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}

async fn a_quota_on_the_kind_refuses_the_next_one_and_says_why(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let cluster = scene.stage.cluster();
    let hard = json!({ "count/staticawscredentials.awscredentials.dev": "1" });
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": "pairs", "namespace": scene.namespace }, "spec": { "hard": hard },
    });
    cluster.apply(&quota.to_string()).await?;
    // The quota controller, which counts existing objects, does not run here.
    let quotas: Api<ResourceQuota> = Api::namespaced(cluster.client(), &scene.namespace);
    let counted = Patch::Merge(json!({ "status": { "hard": hard, "used": hard } }));
    quotas
        .patch_status("pairs", &PatchParams::default(), &counted)
        .await?;
    scene
        .until("the API server counts", async || {
            let object = json!({
                "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
                "metadata": { "name": "more", "namespace": scene.namespace },
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
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    Ok(())
}
