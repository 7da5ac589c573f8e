//! Fields of a workload that the operator may change, and users who may request a restart.

use std::sync::Arc;

use anyhow::Result;
use kube::core::Request;
use serde_json::{Value, json};

use crate::{
    harness::version::Feature,
    policies::{
        attempt::{Attempt, Things, assert_passes, assert_refused, resource},
        fence::foreign,
        test_cluster::{RELEASE_NAMESPACE, TestCluster},
    },
    suite::tests,
};

tests![
    the_operator_restarts_workloads,
    a19_the_operator_changes_nothing_else_of_a_workload,
    a19_the_operator_restarts_nothing_where_it_writes_nothing,
    who_may_patch_workloads_may_have_them_restarted,
];

const KINDS: [Things; 3] = [
    Things::Deployments,
    Things::StatefulSets,
    Things::DaemonSets,
];
const MARK: &str = "restart.awscredentials.dev/0d7f9cbe-5a10-4a4c-8c4e-4b34a3a0a001";

/// A workload with its own annotation on the template.
pub fn workload(things: Things, name: &str) -> Value {
    let labels = json!({ "app": name });
    let mut workload = json!({
        "metadata": { "name": name, "labels": labels, "annotations": { "team": "storage" } },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels, "annotations": { "team": "storage" } },
                "spec": { "containers": [{ "name": "app", "image": "app" }] },
            },
        },
    });
    if matches!(things, Things::StatefulSets) {
        workload["spec"]["serviceName"] = json!(name);
    }
    workload
}

fn restart(revision: &str) -> Value {
    json!({ "spec": { "template": { "metadata": { "annotations": { MARK: revision } } } } })
}

async fn the_operator_restarts_workloads(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("restarts").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    let operator = Attempt::new(&test_cluster.operator(), &namespace);
    for things in KINDS {
        admin.create(things, &workload(things, "web")).await?;
        let mut bare = workload(things, "bare");
        bare["spec"]["template"]["metadata"]["annotations"] = Value::Null;
        admin.create(things, &bare).await?;
        for (name, revision) in [("web", "2"), ("web", "3"), ("bare", "2")] {
            let answer = operator.merge(things, name, &restart(revision)).await;
            assert_passes(&answer, &format!("{things:?} {name} {revision}"));
        }
        let notes =
            admin.api(things).get("web").await?.data["spec"]["template"]["metadata"]["annotations"]
                .take();
        assert_eq!(notes, json!({ "team": "storage", MARK: "3" }));
    }
    Ok(())
}

async fn a19_the_operator_changes_nothing_else_of_a_workload(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("restarts").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    let operator = Attempt::dry(&test_cluster.operator(), &namespace);
    let template = |part: Value| json!({ "spec": { "template": part } });
    let notes = |notes: Value| template(json!({ "metadata": { "annotations": notes } }));
    let of_pod = |spec: Value| template(json!({ "spec": spec }));
    let thief = json!({ "name": "app", "image": "thief" });
    let (of_spec, of_template, of_notes) = (
        "nothing of a workload but an annotation",
        "nothing of a template but its annotations",
        "sets no annotation of a template but",
    );
    let changes = [
        (json!({ "spec": { "minReadySeconds": 7 } }), of_spec),
        (json!({ "spec": { "revisionHistoryLimit": 1 } }), of_spec),
        (of_pod(json!({ "containers": [thief] })), of_template),
        (
            of_pod(json!({ "serviceAccountName": "admin" })),
            of_template,
        ),
        (of_pod(json!({ "hostNetwork": true })), of_template),
        (
            of_pod(json!({ "volumes": [{ "name": "a", "secret": { "secretName": "a" } }] })),
            of_template,
        ),
        (
            template(json!({ "metadata": { "labels": { "more": "x" } } })),
            "no label of a template",
        ),
        (notes(json!({ "more": "x" })), of_notes),
        (notes(json!({ "team": "other", MARK: "2" })), of_notes),
        (notes(json!({ "team": null, MARK: "2" })), of_notes),
        (notes(Value::Null), "no label of a template"),
    ];
    let (outside, outer_notes) = (
        "no label, owner or finalizer",
        "no annotation of a workload itself",
    );
    let of_object = [
        (json!({ "labels": { "more": "x" } }), outside),
        (json!({ "finalizers": ["example.com/mine"] }), outside),
        (json!({ "annotations": { MARK: "2" } }), outer_notes),
        (json!({ "annotations": { "team": null } }), outer_notes),
    ];
    for things in KINDS {
        admin.create(things, &workload(things, "web")).await?;
        for (change, words) in &changes {
            let is_history = change["spec"].get("revisionHistoryLimit").is_some();
            if is_history && things == Things::StatefulSets && !Feature::HistoryLimit.is_served() {
                continue;
            }
            let answer = operator.merge(things, "web", change).await;
            let what = format!("{things:?} {change}");
            assert_refused(&answer, "restarts", words, &what);
        }
        for (metadata, words) in &of_object {
            let change = json!({ "metadata": metadata });
            let answer = operator.merge(things, "web", &change).await;
            assert_refused(&answer, "restarts", words, &change.to_string());
        }
        let answer = operator.create(things, &workload(things, "new")).await;
        assert_refused(&answer, "only", "CREATE of apps/", "a new one");
        let answer = operator.delete(things, "web").await;
        assert_refused(&answer, "only", "DELETE of apps/", "none");
    }
    let scale = json!({ "spec": { "replicas": 9 } });
    let answer = operator.merge(Things::Deployments, "web", &scale).await;
    assert_refused(&answer, "restarts", of_spec, "replicas");
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let request = Request::new(path).patch_subresource(
        "scale",
        "web",
        &kube::api::PatchParams::default(),
        &kube::api::Patch::Merge(&scale),
    )?;
    let answer = test_cluster.operator().request::<Value>(request).await;
    assert_refused(&answer, "only", "UPDATE of apps/deployments/scale", "scale");
    Ok(())
}

async fn a19_the_operator_restarts_nothing_where_it_writes_nothing(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    for namespace in [RELEASE_NAMESPACE, "kube-system"] {
        let admin = Attempt::new(&test_cluster.admin(), namespace);
        let operator = Attempt::dry(&test_cluster.operator(), namespace);
        admin
            .create(
                Things::Deployments,
                &workload(Things::Deployments, "guarded"),
            )
            .await?;
        let answer = operator
            .merge(Things::Deployments, "guarded", &restart("2"))
            .await;
        assert_refused(&answer, "restarts", "restarts no workload in", namespace);
    }
    Ok(())
}

async fn who_may_patch_workloads_may_have_them_restarted(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("restarts").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin.create(Things::Secrets, &foreign("pair")).await?;
    let rules = |apps: &[&str]| {
        json!([
            { "apiGroups": ["awscredentials.dev"], "resources": ["staticawscredentials"], "verbs": ["*"] },
            { "apiGroups": [""], "resources": ["secrets"], "verbs": ["*"] },
            { "apiGroups": ["apps"], "resources": apps, "verbs": ["patch"] },
        ])
    };
    let some = test_cluster
        .account(&namespace, "some", rules(&["deployments"]))
        .await?;
    let all = ["deployments", "statefulsets", "daemonsets"];
    let all = test_cluster.account(&namespace, "all", rules(&all)).await?;
    let some = Attempt::dry(&some, &namespace);
    let all = Attempt::dry(&all, &namespace);
    let wants = |restart: Value| resource("orders", json!({ "rotation": { "restart": restart } }));
    let named = |kind: &str| {
        wants(json!({ "scope": "Workloads", "workloads": [{ "kind": kind, "name": "web" }] }))
    };
    let consumers = wants(json!({ "scope": "Consumers" }));
    let plain = resource("orders", json!({ "rotation": {} }));
    for manifest in [&plain, &named("Deployment")] {
        let answer = some.create(Things::Resources, manifest).await;
        assert_passes(&answer, &manifest.to_string());
    }
    for (manifest, kind) in [
        (&named("StatefulSet"), "StatefulSet"),
        (&named("DaemonSet"), "DaemonSet"),
        (&consumers, "StatefulSet"),
    ] {
        let answer = some.create(Things::Resources, manifest).await;
        let words = format!("may not patch every {kind} of the namespace");
        assert_refused(&answer, "requester", &words, &manifest.to_string());
    }
    for manifest in [&consumers, &named("DaemonSet")] {
        let answer = all.create(Things::Resources, manifest).await;
        assert_passes(&answer, &manifest.to_string());
    }
    Ok(())
}
