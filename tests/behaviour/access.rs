//! Access to the metrics of an operator with `--metrics-authentication`.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use cluster::proxy::{Answer, Fault};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::{
    actions::tests,
    scene::{Scene, Stage},
};

tests![only_those_read_the_metrics_by_tls_who_may];

/// The chart's rules for an operator with metrics authentication.
pub const RULES: &str =
    include_str!("../../charts/static-aws-credentials/files/metrics-rules.yaml");

/// The response to a client that trusts this CA.
async fn read(ca: &Path, address: &str, path: &str, token: Option<&str>) -> Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("127.0.0.1")?;
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let token = token.unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: operator\r\n{token}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    // A server may close the connection without a close_notify of TLS.
    let _ = stream.read_to_string(&mut answer).await;
    Ok(answer)
}

impl Scene {
    /// Creates a service account in the scene's namespace with these cluster-wide rules.
    async fn account(&self, name: &str, rules: serde_json::Value) -> Result<()> {
        let unique = format!("{}-{name}", self.namespace);
        let group = "rbac.authorization.k8s.io";
        let all = [
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": { "name": name, "namespace": self.namespace },
            }),
            json!({
                "apiVersion": format!("{group}/v1"), "kind": "ClusterRole",
                "metadata": { "name": unique }, "rules": rules,
            }),
            json!({
                "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
                "metadata": { "name": unique },
                "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": unique },
                "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": self.namespace }],
            }),
        ];
        let all = all.map(|object| object.to_string()).join("\n---\n");
        self.stage.cluster().apply(&all).await.map(drop)
    }
}

async fn only_those_read_the_metrics_by_tls_who_may(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    let certificates = scene.stage.cluster().directory().join("certificates");
    let file = |name: &str| certificates.join(name).display().to_string();
    scene
        .account("operator", serde_saphyr::from_str(RULES)?)
        .await?;
    let may = json!([{ "nonResourceURLs": ["/metrics"], "verbs": ["get"] }]);
    scene.account("reader", may).await?;
    scene.account("other", json!([])).await?;
    scene.flag("--metrics-tls-cert-file", &file("kube-apiserver.crt"));
    scene.flag("--metrics-tls-key-file", &file("kube-apiserver.key"));
    scene.flags(&["--metrics-authentication"]);
    scene.launch()?;

    let ca = certificates.join("ca.crt");
    let (bind, trusted) = (scene.bind.clone(), ca.clone());
    scene
        .until("the operator is ready", async || {
            let answer = read(&trusted, &bind, "/readyz", None).await;
            Ok(answer
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
                .then_some(()))
        })
        .await?;
    let cluster = scene.stage.cluster();
    let reader = cluster.token(&scene.namespace, "reader").await?;
    let other = cluster.token(&scene.namespace, "other").await?;
    let mark = scene.proxy.mark();
    for (token, status) in [
        (None, "401"),
        (Some("nonsense"), "401"),
        (Some(other.as_str()), "403"),
        (Some(reader.as_str()), "200"),
        (Some(reader.as_str()), "200"),
    ] {
        let answer = read(&ca, &scene.bind, "/metrics", token).await?;
        let start = format!("HTTP/1.1 {status}");
        let first = answer.lines().next().context("no answer")?;
        assert!(first.starts_with(&start), "{first} instead of {status}");
        let told = answer.contains("controller_runtime_reconcile");
        assert_eq!(told, status == "200", "{first}");
    }
    let asked = |resource: &str| {
        let since = scene.proxy.since(mark);
        since.iter().filter(|it| it.resource == resource).count()
    };
    assert_eq!(asked("tokenreviews"), 3, "an answer lasts a minute");
    assert_eq!(asked("subjectaccessreviews"), 2);

    scene
        .proxy
        .set_fault(Box::new(|head| match head.resource.as_str() {
            "tokenreviews" => Fault::Answer(Answer::status(500, "InternalError", "no")),
            _ => Fault::Pass,
        }));
    let answer = read(&ca, &scene.bind, "/metrics", Some("another")).await?;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    scene.proxy.clear_fault();
    let plain = scene.get_http("/metrics").await.unwrap_or_default();
    assert!(!plain.starts_with("HTTP/"), "{plain}");
    Ok(())
}
