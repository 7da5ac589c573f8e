//! The operator: the built binary on this machine, with the permissions of its own service account.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::child_process::{ChildProcess, log_tail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{demo_cluster::DemoCluster, manifests::Scope};

const PATIENCE: Duration = Duration::from_mins(1);

/// Starts the operator and waits until it reports that it is ready.
pub(crate) async fn start(
    demo_cluster: &DemoCluster,
    sts_endpoint: Option<&str>,
) -> Result<ChildProcess> {
    let kubeconfig = demo_cluster.operator_kubeconfig().await?;
    let bind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let mut args = vec!["run".to_owned(), format!("--bind={bind}")];
    args.extend(sts_endpoint.map(|url| format!("--sts-endpoint={url}")));
    if demo_cluster.scope() == Scope::Namespace {
        args.push(format!("--namespace={}", demo_cluster.namespace));
    }
    let env = [("KUBECONFIG".to_owned(), kubeconfig.display().to_string())];
    let log = demo_cluster.directory().join("operator.log");
    let operator = ChildProcess::spawn("the operator", &program()?, &args, &env, &log)?;
    let end = Instant::now() + PATIENCE;
    // Polls, since the operator cannot call us.
    while !is_ready(&bind.to_string()).await {
        operator.check()?;
        ensure!(
            Instant::now() < end,
            "the operator is not ready after {PATIENCE:?}; the end of its log:\n{}",
            log_tail(&log).unwrap_or_default()
        );
        sleep(Duration::from_millis(50)).await;
    }
    Ok(operator)
}

/// The operator's binary, built together with the demo into the same directory.
fn program() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let program = me.with_file_name("static-aws-credentials");
    ensure!(
        program.is_file(),
        "there is no {}: start the demo with `cargo demo`, which builds it",
        program.display()
    );
    Ok(program)
}

async fn is_ready(address: &str) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(Duration::from_secs(5), asked).await;
    answer
        .context("no answer")
        .and_then(|answer| answer)
        .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
