//! Forms in which people write such Secrets, each given to a real API server by `kubectl apply` and to `check`: `check`
//! accepts nothing that the API server rejects, can use everything that it accepts, and reveals no value (which the
//! runner of the program tests).

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result, ensure};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    check::{
        forms::{Form, all},
        program::check,
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![check_judges_as_the_api_server_does];

const LEAST: usize = 100;

async fn check_judges_as_the_api_server_does(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("oracle").await?;
    let forms = all();
    ensure!(forms.len() >= LEAST, "{} forms", forms.len());
    let mut wrong = BTreeMap::new();
    for form in forms {
        let Form {
            name,
            text,
            ambiguous,
        } = form;
        let (taken, errors) = applied(cluster, &namespace, &text).await?;
        let run = check(["-f", "-", "--offline", "-n", &namespace]).input(text);
        let run = run.run().await.with_context(|| name.clone())?;
        let right = match (taken, run.code) {
            (false, code) => code != 0,
            (true, 3) => ambiguous,
            (true, code) => code == 0 || code == 1,
        };
        if !right {
            wrong.insert(name, format!("taken: {taken} {errors}; {}", run.output()));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// Whether the API server accepts the text, and its message.
async fn applied(
    cluster: &cluster::control_plane::ControlPlane,
    namespace: &str,
    text: &[u8],
) -> Result<(bool, String)> {
    let mut kubectl = Command::new(cluster.kubectl_program())
        .args(["-n", namespace, "apply", "--dry-run=server", "-f", "-"])
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("HOME", cluster.directory())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    let mut stdin = kubectl.stdin.take().context("no standard input")?;
    // The process may end before it has read all input.
    let _ = stdin.write_all(text).await;
    drop(stdin);
    let output = kubectl.wait_with_output().await?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output.status.success(), errors))
}
