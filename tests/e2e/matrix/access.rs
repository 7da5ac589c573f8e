//! Access to the metrics of an operator with `--metrics-authentication`.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use cluster::proxy::{Answer, Fault};
pub use cluster::shipped::METRICS_RULES as RULES;
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
    harness::test_env::{TestCluster, TestEnv},
    suite::tests,
};

tests![only_those_read_the_metrics_by_tls_who_may];

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

impl TestEnv {
    /// Creates a service account in the environment's namespace with these cluster-wide rules.
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
        self.test_cluster.cluster().apply(&all).await.map(drop)
    }
}

async fn only_those_read_the_metrics_by_tls_who_may(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let certificates = env.test_cluster.cluster().directory().join("certificates");
    let file = |name: &str| certificates.join(name).display().to_string();
    env.account("operator", serde_saphyr::from_str(RULES)?)
        .await?;
    let may = json!([{ "nonResourceURLs": ["/metrics"], "verbs": ["get"] }]);
    env.account("reader", may).await?;
    env.account("other", json!([])).await?;
    env.flag("--metrics-tls-cert-file", &file("kube-apiserver.crt"));
    env.flag("--metrics-tls-key-file", &file("kube-apiserver.key"));
    env.flags(&["--metrics-authentication"]);
    env.launch()?;

    let ca = certificates.join("ca.crt");
    let (bind, trusted) = (env.bind.clone(), ca.clone());
    env.until("the operator is ready", async || {
        let answer = read(&trusted, &bind, "/readyz", None).await;
        Ok(answer
            .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
            .then_some(()))
    })
    .await?;
    let cluster = env.test_cluster.cluster();
    let reader = cluster.token(&env.namespace, "reader").await?;
    let other = cluster.token(&env.namespace, "other").await?;
    let mark = env.proxy.mark();
    for (token, status) in [
        (None, "401"),
        (Some("nonsense"), "401"),
        (Some(other.as_str()), "403"),
        (Some(reader.as_str()), "200"),
        (Some(reader.as_str()), "200"),
    ] {
        let answer = read(&ca, &env.bind, "/metrics", token).await?;
        let start = format!("HTTP/1.1 {status}");
        let first = answer.lines().next().context("no answer")?;
        assert!(first.starts_with(&start), "{first} instead of {status}");
        let has_metrics = answer.contains("controller_runtime_reconcile");
        assert_eq!(has_metrics, status == "200", "{first}");
    }
    let asked = |resource: &str| {
        let since = env.proxy.since(mark);
        since.iter().filter(|it| it.resource == resource).count()
    };
    assert_eq!(asked("tokenreviews"), 3, "an answer lasts a minute");
    assert_eq!(asked("subjectaccessreviews"), 2);

    env.proxy
        .set_fault(Box::new(|head| match head.resource.as_str() {
            "tokenreviews" => Fault::Answer(Answer::status(500, "InternalError", "no")),
            _ => Fault::Pass,
        }));
    let answer = read(&ca, &env.bind, "/metrics", Some("another")).await?;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    env.proxy.clear_fault();
    let plain = env.get_http("/metrics").await.unwrap_or_default();
    assert!(!plain.starts_with("HTTP/"), "{plain}");
    Ok(())
}
