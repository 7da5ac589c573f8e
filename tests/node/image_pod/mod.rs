//! The image in its intended environment: in pods of a namespace under `restricted`, with a
//! read-only root, against a real API server and an STS that is known by name.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod dns;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{
    control_plane::{ControlPlane, Options},
    node::Node,
    shipped::CRD,
    sts::{Certificate, Sts},
};
use dns::NameServer;
use serde_json::{Value, json};

use crate::{TestCluster, rights::rights, suite::tests};

tests![it_runs_in_restricted_pods,];

const PAIR: (&str, &str) = (
    "AKIAQUAILQUAILQUAIL2",
    "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz",
);
const ACCOUNT: &str = "123456789012";
const ARN: &str = "arn:aws:iam::123456789012:user/image";
const STS: &str = "sts.image.test";
const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A cluster that has the image and the CRD.
struct Restricted {
    // Dropped first: a node cannot do without its control plane.
    node: Node,
    cluster: ControlPlane,
    image: String,
}

async fn it_runs_in_restricted_pods(_: Arc<TestCluster>) -> Result<()> {
    if Node::is_lacking("the image was run on no node")? {
        return Ok(());
    }
    let restricted = Restricted::start().await?;
    restricted.prints_its_definition().await?;
    restricted.proves_and_publishes().await?;
    restricted.node.check()
}

impl Restricted {
    async fn start() -> Result<Self> {
        let built = tokio::task::spawn_blocking(image::built).await??;
        let cluster = ControlPlane::start(Options::with_node()).await?;
        let node = Node::start(&cluster).await?;
        let image = "static-aws-credentials:test".to_owned();
        node.import_archive(&built.archive, &image).await?;
        cluster.apply(CRD).await?;
        Ok(Self {
            node,
            cluster,
            image,
        })
    }

    async fn prints_its_definition(&self) -> Result<()> {
        let namespace = self.cluster.restricted_namespace("image").await?;
        let pod = self.pod(&namespace, "crd", &["crd"]);
        self.cluster.apply(&pod.to_string()).await?;
        self.until("the pod has ended", async || {
            let phase = ["-n", &namespace, "get", "pod", "crd"];
            let phase = [&phase[..], &["-o", "jsonpath={.status.phase}"]].concat();
            let phase = self.cluster.kubectl(&phase).await?;
            ensure!(phase == "Succeeded", "the pod is {phase}");
            Ok(())
        })
        .await?;
        assert_eq!(self.node.pod_log(&namespace, "crd", "main")?, CRD);
        Ok(())
    }

    /// Two operators: the first has the authority of the STS in the place of the image's, and the
    /// second has the image's own authorities, which do not include that of the STS.
    async fn proves_and_publishes(&self) -> Result<()> {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (sts, ca) = Sts::start_tls_on(localhost, Certificate::Named(STS)).await?;
        sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
        let url = sts.url();
        let port = url.rsplit(':').next().context("the STS has no port")?;
        self.node.expose(port.parse()?)?;
        let endpoint = format!("--sts-endpoint=https://{STS}:{port}");

        let bridge = self.node.bridge_address();
        let _names = NameServer::start(bridge, STS, bridge).await?;
        let trusting = self.operator(&endpoint, Some(&ca)).await?;
        let doubting = self.operator(&endpoint, None).await?;
        for (namespace, expected) in [(&trusting, "Published"), (&doubting, "StsUnreachable")] {
            self.request(namespace).await?;
            self.until(expected, async || {
                let reason = self.reason(namespace).await?;
                ensure!(reason == expected, "Ready's reason is {reason}");
                Ok(())
            })
            .await?;
        }
        let target = ["-n", &trusting, "get", "secret", "pair-credentials"];
        let target = [&target[..], &["-o", "jsonpath={.data.AWS_REGION}"]].concat();
        assert_eq!(self.cluster.kubectl(&target).await?, "ZXUtd2VzdC0x");
        let secrets = ["-n", &doubting, "get", "secrets", "-o", "name"];
        assert_eq!(self.cluster.kubectl(&secrets).await?, "secret/source\n");
        assert_eq!(sts.calls_for(PAIR.0).len(), 1, "one of the two could ask");
        Ok(())
    }

    /// A namespace with an operator for it that is ready according to the kubelet.
    async fn operator(&self, endpoint: &str, roots: Option<&str>) -> Result<String> {
        let namespace = self.cluster.restricted_namespace("image").await?;
        let scope = format!("--namespace={namespace}");
        let mut pod = self.pod(&namespace, "operator", &["run", &scope, endpoint]);
        let spec = &mut pod["spec"];
        spec["serviceAccountName"] = json!("operator");
        spec["dnsPolicy"] = json!("None");
        spec["dnsConfig"] = json!({ "nameservers": [self.node.bridge_address().to_string()] });
        spec["containers"][0]["readinessProbe"] =
            json!({ "httpGet": { "path": "/readyz", "port": 8081 }, "periodSeconds": 1 });
        if roots.is_some() {
            spec["volumes"] = json!([{ "name": "roots", "configMap": { "name": "roots" } }]);
            spec["containers"][0]["volumeMounts"] =
                json!([{ "name": "roots", "mountPath": ROOTS, "subPath": "roots" }]);
        }
        let mut items = rights(&namespace)?;
        items.push(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "roots", "namespace": namespace },
            "data": { "roots": roots.unwrap_or_default() },
        }));
        items.push(pod);
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        self.cluster.apply(&list.to_string()).await?;
        let ready = ["-n", &namespace, "wait", "pod/operator", "--timeout=120s"];
        let ready = [&ready[..], &["--for=condition=Ready"]].concat();
        self.cluster.kubectl(&ready).await.with_context(|| {
            let log = self.node.pod_log(&namespace, "operator", "main");
            format!("the operator's log: {}", log.unwrap_or_default())
        })?;
        Ok(namespace)
    }

    async fn request(&self, namespace: &str) -> Result<()> {
        let (id, secret) = PAIR;
        let source = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "source", "namespace": namespace },
            "stringData": { "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret },
        });
        let resource = json!({
            "apiVersion": "awscredentials.dev/v1alpha1",
            "kind": "StaticAwsCredentials",
            "metadata": { "name": "pair", "namespace": namespace },
            "spec": { "secretRef": { "name": "source" }, "region": "eu-west-1" },
        });
        let items = [source, resource];
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        self.cluster.apply(&list.to_string()).await.map(drop)
    }

    async fn reason(&self, namespace: &str) -> Result<String> {
        const READY: &str = r#"jsonpath={.status.conditions[?(@.type=="Ready")].reason}"#;
        let get = ["-n", namespace, "get", "awscreds", "pair", "-o", READY];
        self.cluster.kubectl(&get).await
    }

    /// A pod of the image. It sets no user, so the image's own applies.
    fn pod(&self, namespace: &str, name: &str, args: &[&str]) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "securityContext": {
                    "runAsNonRoot": true,
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
                "containers": [{
                    "name": "main",
                    "image": self.image,
                    "imagePullPolicy": "Never",
                    "args": args,
                    "securityContext": {
                        "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true,
                        "capabilities": { "drop": ["ALL"] },
                    },
                }],
            },
        })
    }

    /// Polls, since kubelet and operator send no notification.
    async fn until(&self, what: &str, is_so: impl AsyncFn() -> Result<()>) -> Result<()> {
        let end = Instant::now() + Duration::from_mins(2);
        loop {
            let Err(error) = is_so().await else {
                return Ok(());
            };
            if Instant::now() > end {
                return Err(error.context(format!("awaited: {what}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
