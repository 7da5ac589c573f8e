//! The operator publishes, rotates and rejects a pair under the chart's account.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use cluster::{
    child_process::{ChildProcess, log_tail},
    leak_check::Canaries,
};
use kube::Api;
use serde_json::json;
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    harness::sts::{ACCOUNT, ARN, PAIR, sts},
    min_kubernetes::{HOME, PATIENCE, TestCluster},
};

const OTHER: &str = "AKIARZPUZDIKAUAIL2B4";

impl TestCluster {
    /// The chart's pods have no node here, so the program runs outside the cluster, as their account.
    pub async fn is_served_by_the_operator(&self) -> Result<()> {
        let cluster = &self.cluster;
        let namespace = cluster.namespace("floor").await?;
        let sts = sts().await?;
        sts.accept_pair(OTHER, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
        let account = self.account().await?;
        let kubeconfig = cluster
            .pod_kubeconfig(HOME, &account, &format!("{account}-0"))
            .await?;
        self.fenced(&kubeconfig, &namespace).await?;
        let log = cluster.directory().join("operator.log");
        let run = ["run", "--bind", "127.0.0.1:0", "--sts-endpoint", &sts.url()].map(str::to_owned);
        let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
        let env = [
            ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
            ("AWSCREDS_LOG".to_owned(), "trace".to_owned()),
        ];
        let operator = ChildProcess::spawn("operator", &program, &run, &env, &log)?;

        self.source(&namespace, (PAIR.0, PAIR.1)).await?;
        let resource = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": "orders", "namespace": namespace },
            "spec": { "secretRef": { "name": "orders-key-pair" }, "region": "eu-west-1" },
        });
        cluster.apply(&resource.to_string()).await?;
        let result = self.scenario(&namespace).await;
        operator.stop();
        result.with_context(|| log_tail(&log).unwrap_or_default())?;
        self.gave_every_initial_list(&account)?;
        Canaries::of(&[PAIR.0, PAIR.1, OTHER])?.unlogged(&log)
    }

    async fn scenario(&self, namespace: &str) -> Result<()> {
        self.until(namespace, ("True", "Published"), "L2A3").await?;
        self.source(namespace, (OTHER, PAIR.1)).await?;
        self.until(namespace, ("True", "Published"), "L2B4").await?;
        self.source(namespace, (PAIR.0, &format!("{}\n", PAIR.1)))
            .await?;
        self.until(namespace, ("False", "TrailingNewline"), "L2B4")
            .await?;
        self.shows_the_events(namespace, &["Published", "TrailingNewline"])
            .await?;
        let selector = "--field-selector=spec.secretRef.name=orders-key-pair";
        let found = self
            .cluster
            .kubectl(&["get", "awscreds", "-A", selector, "-o", "name"])
            .await?;
        assert_eq!(found, "staticawscredentials.awscredentials.dev/orders\n");
        let target = [
            "get",
            "secret/orders-credentials",
            "-n",
            namespace,
            "-o",
            "jsonpath={.data.AWS_ACCESS_KEY_ID}",
        ];
        let (encoded, wanted) = (self.cluster.kubectl(&target).await?, base64(OTHER));
        assert_eq!(encoded, wanted);
        Canaries::of(&[PAIR.0, PAIR.1, OTHER])?
            .unwritten(&self.cluster)
            .await?;
        // Garbage collection follows the owner reference to the target.
        self.cluster
            .kubectl(&["delete", "awscreds/orders", "-n", namespace])
            .await?;
        let gone = [
            "wait",
            "--for=delete",
            "secret/orders-credentials",
            "-n",
            namespace,
            "--timeout=90s",
        ];
        self.cluster.kubectl(&gone).await?;
        Ok(())
    }

    async fn account(&self) -> Result<String> {
        let get = [
            "get",
            "deployment",
            "-n",
            HOME,
            "-o",
            "jsonpath={.items[0].spec.template.spec.serviceAccountName}",
        ];
        self.cluster.kubectl(&get).await
    }

    /// Waits until the fence policy is enforced, which takes a moment after its binding is created.
    async fn fenced(&self, kubeconfig: &Path, namespace: &str) -> Result<()> {
        let kubeconfig = kubeconfig.display().to_string();
        let create = [
            "create",
            "secret",
            "generic",
            "foreign",
            "--dry-run=server",
            "-n",
            namespace,
        ];
        let args = [&["--kubeconfig", &kubeconfig][..], &create].concat();
        let refused = async {
            loop {
                let output = self.kubectl(&args, "")?;
                let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
                if complaints.contains("ValidatingAdmissionPolicy") {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, refused).await {
            Ok(refused) => refused,
            Err(_) => bail!("the operator's account may write any Secret"),
        }
    }

    async fn source(&self, namespace: &str, pair: (&str, &str)) -> Result<()> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "orders-key-pair", "namespace": namespace },
            "stringData": { "AWS_ACCESS_KEY_ID": pair.0, "AWS_SECRET_ACCESS_KEY": pair.1 },
        });
        self.cluster.apply(&secret.to_string()).await?;
        Ok(())
    }

    async fn until(&self, namespace: &str, ready: (&str, &str), suffix: &str) -> Result<()> {
        let resources: Api<StaticAwsCredentials> =
            Api::namespaced(self.cluster.client(), namespace);
        let wanted = async {
            loop {
                let status = resources.get("orders").await?.status.unwrap_or_default();
                let found = status.conditions.iter().find(|one| one.type_ == "Ready");
                let found = found.map(|one| (one.status.as_str(), one.reason.as_str()));
                let published = status
                    .published
                    .as_ref()
                    .map(|one| one.key_id_suffix.as_str());
                if found == Some(ready) && published == Some(suffix) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wanted).await {
            Ok(found) => found,
            Err(_) => bail!(
                "never {ready:?} with {suffix}: {:?}",
                resources.get("orders").await?.status
            ),
        }
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
