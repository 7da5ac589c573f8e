//! Releases that serve separate namespaces.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use kube::{
    Api, Client, Config,
    api::{DynamicObject, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    discovery,
};
use serde_json::json;

use crate::{
    harness::{
        cycle,
        helm::{PATIENCE, TestCluster, assert_refused},
        operator::Operator,
    },
    suite::tests,
};

tests![
    two_releases_serve_a_namespace_each,
    a_namespace_is_served_by_one_release,
    the_account_of_one_release_has_no_effect_in_the_namespace_of_another,
];

const ACCOUNT: &str = "static-aws-credentials";

/// Two releases: one serves its own namespace, the other a namespace that is not its own.
struct Two {
    home: String,
    away: String,
    served: String,
}

impl Two {
    async fn install(test_cluster: &TestCluster) -> Result<Self> {
        let cluster = test_cluster.cluster();
        let two = Self {
            home: cluster.namespace("home").await?,
            away: cluster.namespace("away").await?,
            served: cluster.namespace("served").await?,
        };
        let scope = |namespace: &str| format!("scope.namespaces={{{namespace}}}");
        let account = format!("serviceAccount.name={ACCOUNT}");
        let args = ["--set", &account, "--set", &scope(&two.home)];
        test_cluster.install("first", &two.home, &args).await?;
        let args = ["--set", &account, "--set", &scope(&two.served)];
        test_cluster.install("second", &two.away, &args).await?;
        Ok(two)
    }

    /// The operators, with the leases that their releases name.
    async fn start(&self, test_cluster: &TestCluster) -> Result<[Operator; 2]> {
        let cluster = test_cluster.cluster();
        let start = async |home: &str, namespace: &str, lease: &str| {
            let flags = [
                "--leader-election",
                "--lease-name",
                lease,
                "--lease-namespace",
                home,
            ];
            let pod = format!("{lease}-0");
            Operator::start(cluster, (home, ACCOUNT, &pod), namespace, &flags).await
        };
        Ok([
            start(&self.home, &self.home, "first-static-aws-credentials").await?,
            start(&self.away, &self.served, "second-static-aws-credentials").await?,
        ])
    }
}

async fn two_releases_serve_a_namespace_each(test_cluster: Arc<TestCluster>) -> Result<()> {
    let two = Two::install(&test_cluster).await?;
    let [first, second] = two.start(&test_cluster).await?;
    let (one, other) = tokio::join!(cycle::whole(&first), cycle::whole(&second));
    one.and(other)
}

async fn a_namespace_is_served_by_one_release(test_cluster: Arc<TestCluster>) -> Result<()> {
    let two = Two::install(&test_cluster).await?;
    let third = test_cluster.cluster().namespace("third").await?;
    let scope = format!("scope.namespaces={{{third},{}}}", two.served);
    let answer = test_cluster
        .install("third", &third, &["--set", &scope])
        .await;
    let words = format!(
        "scope.namespaces: {} is served by release second in namespace {}",
        two.served, two.away
    );
    assert_refused(&answer, &words);
    let scope = format!("scope.namespaces={{{third}}}");
    test_cluster
        .install("third", &third, &["--set", &scope])
        .await
        .map(drop)
}

/// A client with a token bound to a pod of the first release.
async fn client(test_cluster: &TestCluster, namespace: &str) -> Result<Client> {
    let cluster = test_cluster.cluster();
    let pod = "first-static-aws-credentials-1";
    let path = cluster.pod_kubeconfig(namespace, ACCOUNT, pod).await?;
    let kubeconfig = Kubeconfig::read_from(path)?;
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

async fn the_account_of_one_release_has_no_effect_in_the_namespace_of_another(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let two = Two::install(&test_cluster).await?;
    let cluster = test_cluster.cluster();
    let subject = format!("--serviceaccount={}:{ACCOUNT}", two.home);
    let wide = [
        "create",
        "clusterrolebinding",
        "far-too-wide",
        "--clusterrole=cluster-admin",
        &subject,
    ];
    cluster.kubectl(&wide).await?;
    let manifest = json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
        "metadata": { "name": "orders", "namespace": two.served },
        "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
    });
    cluster.apply(&manifest.to_string()).await?;
    let stranger = client(&test_cluster, &two.home).await?;
    let (kind, _) = discovery::pinned_kind(
        &cluster.client(),
        &kube::api::GroupVersionKind::gvk("awscredentials.dev", "v1alpha1", "StaticAwsCredentials"),
    )
    .await?;
    let resources: Api<DynamicObject> = Api::namespaced_with(stranger.clone(), &two.served, &kind);
    let uid = resources.get("orders").await?.metadata.uid;
    let status = Patch::Merge(json!({ "status": { "observedGeneration": 1 } }));
    let secret = serde_json::from_value(json!({
        "metadata": {
            "name": "orders-credentials", "labels": { "awscredentials.dev/uid": uid },
            "annotations": { "awscredentials.dev/adopt-by": "orders" },
        },
        "type": "Opaque",
    }))?;
    let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(stranger, &two.served);
    let began = Instant::now();
    loop {
        let dry = PatchParams {
            dry_run: true,
            ..PatchParams::default()
        };
        let status = resources.patch_status("orders", &dry, &status).await;
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let written = secrets.create(&dry, &secret).await;
        let has_words = |error: Option<&kube::Error>, words: &str| {
            error.is_some_and(|error| error.to_string().contains(words))
        };
        let owner = format!(
            "status: only the operator (system:serviceaccount:{}:{ACCOUNT}) writes it",
            two.away
        );
        let own = format!("this operator writes Secrets only in {}", two.home);
        if has_words(status.as_ref().err(), &owner) && has_words(written.as_ref().err(), &own) {
            break;
        }
        ensure!(began.elapsed() < PATIENCE, "{status:?} {written:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cluster
        .kubectl(&["delete", "clusterrolebinding", "far-too-wide"])
        .await?;
    Ok(())
}
