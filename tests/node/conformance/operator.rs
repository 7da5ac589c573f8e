//! The operator: the built binary under a service account with the chart's rules.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use cluster::{
    child_process::{ChildProcess, log_tail},
    control_plane::ControlPlane,
    shipped::{CLASS_RULES, CONSUMER_RULES, RULES},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::conformance::test_cluster::{PATIENCE, ttl};

pub async fn start(cluster: &ControlPlane, sts: &str) -> Result<ChildProcess> {
    let namespace = cluster.namespace("operator").await?;
    cluster.apply(&rights(&namespace)?).await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "operator", None)
        .await?;
    let bind = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let args = [
        "run",
        &format!("--bind={bind}"),
        &format!("--sts-endpoint={sts}"),
        "--list-consumers",
        &format!("--credential-process-ttl={}", ttl()),
    ]
    .map(str::to_owned);
    let env = [
        ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
        ("AWSCREDS_LOG".to_owned(), "trace".to_owned()),
    ];
    let log = cluster.directory().join("operator.log");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
    let operator = ChildProcess::spawn("operator", &program, &args, &env, &log)?;
    await_ready(&operator, &bind.to_string(), &log).await?;
    Ok(operator)
}

async fn await_ready(operator: &ChildProcess, bind: &str, log: &Path) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    // The operator cannot notify the test.
    while !is_ready(bind).await.unwrap_or(false) {
        operator.check()?;
        ensure!(
            Instant::now() < end,
            "the operator is not ready:\n{}",
            log_tail(log).unwrap_or_default()
        );
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn is_ready(bind: &str) -> Result<bool> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(bind).await?;
    let request = b"GET /readyz HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

fn rights(namespace: &str) -> Result<String> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let mut rules: Vec<Value> = serde_saphyr::from_str(RULES)?;
    for more in [CONSUMER_RULES, CLASS_RULES] {
        rules.extend(serde_saphyr::from_str::<Vec<Value>>(more)?);
    }
    let version = format!("{GROUP}/v1");
    let (name, account) = (
        json!({ "name": "operator" }),
        json!({ "name": "operator", "namespace": namespace }),
    );
    let documents = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": account }),
        json!({ "apiVersion": version, "kind": "ClusterRole", "metadata": name, "rules": rules }),
        json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": name,
            "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": "operator" },
            "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": namespace }],
        }),
    ];
    Ok(documents
        .map(|document| document.to_string())
        .join("\n---\n"))
}
