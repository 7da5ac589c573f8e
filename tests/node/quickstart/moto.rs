//! moto on this machine, as the Deployment of the page runs it in a pod.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::child_process::ChildProcess;
use serde_json::Value;
use tokio::{net::TcpStream, time::sleep};

use crate::{
    conformance::install,
    quickstart::{page, terminal::Terminal},
};

const PATIENCE: Duration = Duration::from_mins(2);
/// The packages of moto on this machine, with their versions.
const PACKAGES: &str = include_str!("../../tools/cluster/moto/requirements.txt");
/// The path of the certificate in the pod, without the ends of its file and of the key's file.
const CERTIFICATE: &str = "/tls/tls.";

/// Starts moto with the certificate from the directory of the terminal, and lets the terminal use the AWS CLI.
pub async fn start(terminal: &mut Terminal, address: SocketAddr) -> Result<ChildProcess> {
    let manifests = page::manifests("moto")?;
    let deployment = manifests.first().context("the page has no Deployment")?;
    let pod = &deployment["spec"]["template"]["spec"];
    let (server, cli) = (page::container(pod, "moto")?, page::container(pod, "aws")?);
    let version = PACKAGES
        .lines()
        .find_map(|line| line.strip_prefix("moto=="));
    let expected = format!("motoserver/moto:{}", version.context("no version of moto")?);
    ensure!(
        page::image(server)? == expected,
        "the page has not {expected}"
    );
    let python = tokio::task::spawn_blocking(aws_cli).await??;
    terminal.set_aws(&python, &page::variables(cli)?);

    let python = tokio::task::spawn_blocking(cluster::moto::python).await??;
    let args = arguments(server, address, terminal.directory())?;
    let log = terminal.directory().join("moto.log");
    let moto = ChildProcess::spawn("moto", &python, &args, &page::variables(server)?, &log)?;
    let end = Instant::now() + PATIENCE;
    // Polls, since moto announces nothing.
    while TcpStream::connect(address).await.is_err() {
        moto.check()?;
        ensure!(Instant::now() < end, "moto does not listen on {address}");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(moto)
}

fn arguments(server: &Value, address: SocketAddr, directory: &Path) -> Result<Vec<String>> {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let mut args = ["-B", "-m", "moto.server", "-H", &host, "-p", &port]
        .map(str::to_owned)
        .to_vec();
    let own = directory.join("moto.").display().to_string();
    for given in server["args"].as_array().context("moto has no arguments")? {
        let given = given.as_str().context("an argument is no text")?;
        args.push(given.replace(CERTIFICATE, &own));
    }
    ensure!(
        args.iter().any(|arg| arg.starts_with(&own)),
        "no certificate: {args:?}"
    );
    Ok(args)
}

/// The Python of the AWS CLI. Installs OpenSSL too, if it is missing. Blocks.
fn aws_cli() -> Result<PathBuf> {
    let version = Command::new("openssl").arg("version").output();
    if version.is_err() {
        install::debian(&["openssl"])?;
    }
    install::cli1_python()
}
