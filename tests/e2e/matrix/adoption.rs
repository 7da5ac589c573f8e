//! Adoption of a Secret whose adopt-by annotation allows it.

use std::sync::Arc;

use anyhow::Result;
use kube::{ResourceExt, api::PostParams};
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::{ADOPT_BY, TARGET},
        test_env::{PAIR, TestCluster, TestEnv, condition, message},
    },
    suite::tests,
};

tests![
    a_secret_is_taken_over_only_in_the_write_that_publishes_a_proven_pair,
    a_secret_that_consents_and_cannot_be_taken_over_is_left_alone,
    a4_a_secret_that_consents_to_another_resource_is_a_conflict,
    a_resource_that_was_deleted_and_left_its_target_takes_it_over_when_it_comes_back,
];

fn consenting(target: &str, to: &str) -> Value {
    json!({
        "metadata": {
            "name": target,
            "labels": { "team": "storage" },
            "annotations": { ADOPT_BY: to, "replicate-to": "everywhere" },
        },
        "stringData": { "AWS_ACCESS_KEY_ID": "before", "stale": "before" },
    })
}

async fn a_secret_is_taken_over_only_in_the_write_that_publishes_a_proven_pair(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let found = env.foreign(consenting(TARGET, "orders")).await?;
    env.secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, found);

    let mark = env.proxy.mark();
    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    assert!(env.costs(mark).await?.gets <= 2);
    assert_eq!(env.changes(mark), 2);
    let taken = env.secrets.get(TARGET).await?;
    assert_eq!(taken.uid(), found.uid());
    assert!(!taken.labels().contains_key("team"), "{:?}", taken.labels());
    assert_eq!(taken.annotations().len(), 1, "{:?}", taken.annotations());
    let content = env.content(TARGET).await?;
    assert_eq!(content["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert!(!content.contains_key("stale"));
    assert_eq!(env.published("orders").await?.revision, 1);
    Ok(())
}

async fn a_secret_that_consents_and_cannot_be_taken_over_is_left_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let owner = env.secret("owner", &[]).await?;
    let owner = json!([{
        "apiVersion": "v1", "kind": "Secret", "name": "owner", "uid": owner.uid(),
    }]);
    let causes = [
        ("immutable", "/immutable", json!(true), "immutable"),
        ("typed", "/type", json!("example.com/other"), "type"),
        (
            "held",
            "/metadata/finalizers",
            json!(["example.com/hold"]),
            "finalizer",
        ),
        ("owned", "/metadata/ownerReferences", owner, "owner"),
        (
            "helm",
            "/metadata/labels/app.kubernetes.io~1managed-by",
            json!("Helm"),
            "Helm",
        ),
        (
            "helm-too",
            "/metadata/annotations/meta.helm.sh~1release-name",
            json!("x"),
            "Helm",
        ),
        (
            "argo",
            "/metadata/labels/argocd.argoproj.io~1instance",
            json!("x"),
            "Argo CD",
        ),
        (
            "argo-too",
            "/metadata/annotations/argocd.argoproj.io~1tracking-id",
            json!("x"),
            "Argo CD",
        ),
        (
            "flux",
            "/metadata/labels/kustomize.toolkit.fluxcd.io~1name",
            json!("apps"),
            "Flux",
        ),
        (
            "kapp",
            "/metadata/labels/kapp.k14s.io~1app",
            json!("1"),
            "kapp",
        ),
        (
            "fleet",
            "/metadata/labels/objectset.rio.cattle.io~1hash",
            json!("1"),
            "Fleet",
        ),
        (
            "config-sync",
            "/metadata/annotations/configmanagement.gke.io~1managed",
            json!("enabled"),
            "Config Sync",
        ),
    ];
    for (name, path, value, cause) in causes {
        let mut manifest = consenting(&format!("{name}-credentials"), name);
        let (parent, key) = path.rsplit_once('/').unwrap_or_default();
        if let Some(parent) = manifest.pointer_mut(parent) {
            parent[key.replace("~1", "/")] = value;
        }
        let found = env.foreign(manifest).await?;
        env.resource(name, "pair", json!({})).await?;
        let object = env
            .until_status(name, "Ready", "False", "AdoptionRefused")
            .await?;
        assert!(condition(&object, "Stalled").is_some());
        assert!(
            message(&object, "Ready").contains(cause),
            "{}",
            message(&object, "Ready")
        );
        let secret = env.secrets.get(&format!("{name}-credentials")).await?;
        assert_eq!(secret, found);
    }
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn a4_a_secret_that_consents_to_another_resource_is_a_conflict(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let found = env.foreign(consenting(TARGET, "somebody")).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    assert_eq!(env.secrets.get(TARGET).await?, found);

    // The owner of the Secret now allows its adoption by `orders`.
    let consent = json!({ "metadata": { "annotations": { ADOPT_BY: "orders" } } });
    env.edit_secret(TARGET, consent).await?;
    env.until_converged("orders").await?;
    Ok(())
}

/// As after a restore from a backup without owner references and statuses.
async fn a_resource_that_was_deleted_and_left_its_target_takes_it_over_when_it_comes_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mut stripped = env.secrets.get(TARGET).await?;
    env.delete_resource("orders").await?;
    env.until_gone(TARGET).await?;
    stripped.metadata.owner_references = None;
    stripped.metadata.uid = None;
    stripped.metadata.resource_version = None;
    let back = env
        .secrets
        .create(&PostParams::default(), &stripped)
        .await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    let target = env.secrets.get(TARGET).await?;
    assert_eq!((target.uid(), &target.data), (back.uid(), &stripped.data));
    assert_eq!(target.owner_references().len(), 1);
    Ok(())
}
