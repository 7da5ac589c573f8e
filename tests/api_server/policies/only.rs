//! Other writes of the operator's account while RBAC grants it everything.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{Namespace, Pod, ServiceAccount},
    rbac::v1::ClusterRoleBinding,
};
use kube::{
    Api,
    api::{DeleteParams, EvictParams, PostParams},
    core::Request,
};
use serde_json::{Value, json};

use crate::{
    harness::version::Feature,
    policies::{
        attempt::{Attempt, Things, assert_passes, assert_refused, merge, pod, resource},
        test_cluster::{POD, RELEASE, RELEASE_NAMESPACE, TestCluster},
    },
    suite::tests,
};

tests![
    the_operator_writes_events_statuses_and_its_lease,
    a19_the_operator_writes_nothing_else,
    the_operator_has_no_lease_but_its_own,
    a19_the_operator_gets_no_token,
    a19_the_operator_does_nothing_to_the_cluster_and_its_pods,
    the_operator_writes_events_about_its_kind_alone,
];

const NOTHING_ELSE: &str = "and nothing else; this is";

/// A lease held by a pod of the release.
pub fn lease(name: &Value) -> Value {
    json!({ "metadata": name, "spec": { "holderIdentity": format!("{POD}_00000001") } })
}

fn event(namespace: &str) -> Value {
    json!({
        "metadata": { "name": "orders.1" },
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingInstance": "x",
        "reportingController": "static-aws-credentials",
        "action": "x", "reason": "x", "type": "Normal", "note": "x",
        "regarding": {
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "namespace": namespace, "name": "orders",
        },
    })
}

async fn the_operator_writes_events_statuses_and_its_lease(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("only").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    let operator = Attempt::new(&test_cluster.operator(), &namespace);
    let made = operator.create(Things::Events, &event(&namespace)).await;
    assert_passes(&made, "an event");
    let name = made?.metadata.name.unwrap_or_default();
    let again =
        json!({ "series": { "count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z" } });
    let answer = operator.merge(Things::Events, &name, &again).await;
    assert_passes(&answer, "the event again");
    let status = json!({ "status": { "observedGeneration": 1 } });
    let answer = operator
        .merge_status(Things::Resources, "orders", &status)
        .await;
    assert_passes(&answer, "a status");

    let home = Attempt::new(&test_cluster.operator(), RELEASE_NAMESPACE);
    let lease = lease(&json!({ "name": RELEASE }));
    assert_passes(&home.apply(Things::Leases, &lease).await, "the lease, new");
    assert_passes(
        &home.apply(Things::Leases, &lease).await,
        "the lease, renewed",
    );
    let mut taken = lease.clone();
    taken["spec"]["holderIdentity"] = json!(format!("{POD}_00000002"));
    assert_passes(
        &home.merge(Things::Leases, RELEASE, &taken).await,
        "the lease, taken",
    );
    taken["spec"]["holderIdentity"] = json!("");
    assert_passes(
        &home.merge(Things::Leases, RELEASE, &taken).await,
        "the lease, given back",
    );
    Ok(())
}

async fn a19_the_operator_writes_nothing_else(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("only").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    let operator = Attempt::dry(&test_cluster.operator(), &namespace);
    admin
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    admin
        .create(
            Things::ConfigMaps,
            &json!({ "metadata": { "name": "plain" } }),
        )
        .await?;
    let plain = json!({ "metadata": { "name": "new" } });
    let event = json!({
        "metadata": { "name": "orders.2" }, "reason": "x", "message": "x", "type": "Normal",
        "involvedObject": { "kind": "StaticAwsCredentials", "namespace": namespace, "name": "orders" },
    });
    let creates = [
        (Things::ConfigMaps, plain.clone(), "CREATE of configmaps"),
        (Things::ServiceAccounts, plain, "CREATE of serviceaccounts"),
        (Things::Pods, pod(&json!({}), json!({})), "CREATE of pods"),
        (Things::CoreEvents, event, "CREATE of events"),
        (
            Things::Resources,
            resource("mine", json!({})),
            "CREATE of awscredentials.dev/staticawscredentials",
        ),
    ];
    for (things, manifest, words) in creates {
        let answer = operator.create(things, &manifest).await;
        assert_refused(&answer, "only", NOTHING_ELSE, words);
        assert_refused(&answer, "only", words, words);
    }
    let spec = json!({ "spec": { "suspend": true } });
    let answer = operator.merge(Things::Resources, "orders", &spec).await;
    assert_refused(
        &answer,
        "only",
        "UPDATE of awscredentials.dev/staticawscredentials",
        "a spec",
    );
    let answer = operator.delete(Things::Resources, "orders").await;
    assert_refused(
        &answer,
        "only",
        "DELETE of awscredentials.dev/staticawscredentials",
        "a resource",
    );
    let answer = operator.delete(Things::ConfigMaps, "plain").await;
    assert_refused(&answer, "only", "DELETE of configmaps", "a config map");
    let answer = operator.delete_all(Things::ConfigMaps, "").await;
    assert_refused(&answer, "only", "DELETE of configmaps", "all config maps");
    Ok(())
}

async fn the_operator_has_no_lease_but_its_own(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("only").await?;
    let home = Attempt::dry(&test_cluster.operator(), RELEASE_NAMESPACE);
    let away = Attempt::dry(&test_cluster.operator(), &namespace);
    let words = "the operator's lease is static-aws-credentials in namespace aws";
    let made_up = format!("{RELEASE}-");
    let cases = [
        (&home, json!({ "name": "another" }), "another name"),
        (
            &home,
            json!({ "generateName": made_up }),
            "a name that the server makes up",
        ),
        (&away, json!({ "name": RELEASE }), "another namespace"),
    ];
    for (operator, name, what) in cases {
        let answer = operator.create(Things::Leases, &lease(&name)).await;
        assert_refused(&answer, "only", words, what);
    }
    let system = Attempt::new(&test_cluster.admin(), "kube-system");
    let scheduler = lease(&json!({ "name": "kube-scheduler" }));
    system.apply(Things::Leases, &scheduler).await?;
    let operator = Attempt::dry(&test_cluster.operator(), "kube-system");
    let answer = operator
        .merge(Things::Leases, "kube-scheduler", &scheduler)
        .await;
    assert_refused(&answer, "only", words, "the scheduler's");
    let answer = operator.delete(Things::Leases, "kube-scheduler").await;
    assert_refused(&answer, "only", NOTHING_ELSE, "the scheduler's");
    Ok(())
}

async fn a19_the_operator_gets_no_token(test_cluster: Arc<TestCluster>) -> Result<()> {
    for (namespace, account) in [("kube-system", "default"), (RELEASE_NAMESPACE, RELEASE)] {
        let accounts: Api<ServiceAccount> = Api::namespaced(test_cluster.operator(), namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec::default()),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await;
        assert_refused(&answer, "only", "CREATE of serviceaccounts/token", account);
    }
    Ok(())
}

async fn a19_the_operator_does_nothing_to_the_cluster_and_its_pods(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("only").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin
        .create(Things::Pods, &pod(&json!({}), json!({})))
        .await?;
    let pods: Api<Pod> = Api::namespaced(test_cluster.operator(), &namespace);
    let answer = pods.evict("pod", &EvictParams::default()).await;
    assert_refused(&answer, "only", "CREATE of pods/eviction", "an eviction");
    let exec = format!("/api/v1/namespaces/{namespace}/pods/pod/exec");
    let request = Request::new(exec).create(&PostParams::default(), Vec::new())?;
    let answer = test_cluster.operator().request::<Value>(request).await;
    assert_refused(
        &answer,
        "only",
        "CONNECT of pods/exec",
        "a command in a pod",
    );
    if Feature::PodResize.is_served() {
        let patch = json!({ "spec": { "containers": [{ "name": "app", "resources": {} }] } });
        let patch = kube::api::Patch::Strategic(patch);
        let answer = pods
            .patch_resize("pod", &kube::api::PatchParams::default(), &patch)
            .await;
        assert_refused(&answer, "only", "UPDATE of pods/resize", "a resize");
    }

    let namespaces: Api<Namespace> = Api::all(test_cluster.operator());
    let answer = namespaces
        .delete(&namespace, &DeleteParams::default())
        .await;
    assert_refused(
        &answer.map(drop),
        "only",
        "DELETE of namespaces",
        "a namespace",
    );
    let bindings: Api<ClusterRoleBinding> = Api::all(test_cluster.operator());
    let binding = serde_json::from_value(json!({
        "metadata": { "name": "mine" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
    }))?;
    let answer = bindings.create(&PostParams::default(), &binding).await;
    let words = "CREATE of rbac.authorization.k8s.io/clusterrolebindings";
    assert_refused(&answer, "only", words, "a binding");
    Ok(())
}

async fn the_operator_writes_events_about_its_kind_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("only").await?;
    let operator = Attempt::dry(&test_cluster.operator(), &namespace);
    let words = "the operator writes events about StaticAwsCredentials";
    let about =
        |kind: &str, version: &str| json!({ "regarding": { "kind": kind, "apiVersion": version } });
    let version = "awscredentials.dev/v1alpha1";
    let kind = "StaticAwsCredentials";
    for (what, change) in [
        (
            "another controller",
            json!({ "reportingController": "kubelet" }),
        ),
        ("about a pod", about("Pod", "v1")),
        ("about another group", about(kind, "evil.io/v1")),
        ("about our group by another kind", about("Secret", version)),
    ] {
        let mut event = event(&namespace);
        merge(&mut event, change);
        let answer = operator.create(Things::Events, &event).await;
        assert_refused(&answer, "only", words, what);
    }
    let mut foreign = event(&namespace);
    merge(&mut foreign, json!({ "reportingController": "kubelet" }));
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    let made = admin.create(Things::Events, &foreign).await?;
    let name = made.metadata.name.unwrap_or_default();
    let ours = json!({ "series": {
        "count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z",
    } });
    let answer = operator.merge(Things::Events, &name, &ours).await;
    assert_refused(&answer, "only", words, "an event of somebody else");
    Ok(())
}
