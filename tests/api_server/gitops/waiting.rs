//! Pipelines: runs the commands of docs/gitops.md exactly as documented.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use cluster::binaries::{self, Binary};
use serde_json::json;
use tokio::process::Command;

use crate::{
    gitops::{
        examples::blocks,
        test_cluster::{TestCluster, TestEnv},
    },
    harness::sts::{ACCOUNT, ARN, PAIR},
    suite::tests,
};

tests![
    the_commands_of_a_pipeline_wait_as_documented,
    columns_and_field_selectors_show_a_published_resource,
];

const OTHER: &str = "AKIARZPUZDIKAUAIL2B4";

/// Runs a script in the directory of the manifests, with kubectl bound to the namespace.
async fn shell(env: &TestEnv<'_>, directory: &Path, script: &str) -> Result<String> {
    let kubectl = tokio::task::spawn_blocking(|| binaries::find(&[Binary::Kubectl])).await??;
    let programs = kubectl[0]
        .parent()
        .context("no directory")?
        .display()
        .to_string();
    let own = directory.join("kubeconfig");
    std::fs::copy(env.cluster.kubeconfig(), &own)?;
    let set = format!(
        "kubectl config set-context --current --namespace={} >/dev/null\n",
        env.namespace
    );
    let output = Command::new("sh")
        .args(["-ec", &(set + script)])
        .current_dir(directory)
        .env("KUBECONFIG", &own)
        .env("HOME", directory)
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{script}\n{errors}");
    Ok(String::from_utf8(output.stdout)?)
}

fn script(part: &str) -> Result<String> {
    let found = blocks("sh")?.into_iter().find(|block| block.contains(part));
    found.with_context(|| format!("docs/gitops.md has no commands with {part}"))
}

fn secret(pair: (&str, &str)) -> String {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "orders-key-pair" },
        "stringData": { "AWS_ACCESS_KEY_ID": pair.0, "AWS_SECRET_ACCESS_KEY": pair.1 },
    })
    .to_string()
}

async fn the_commands_of_a_pipeline_wait_as_documented(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::open(&test_cluster).await?;
    let directory = tempfile::tempdir()?;
    let directory = directory.path();
    let resource = json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
        "metadata": { "name": "orders" },
        "spec": { "secretRef": { "name": "orders-key-pair" }, "region": "eu-west-1" },
    });
    std::fs::write(
        directory.join("credentials.yaml"),
        format!("{resource}\n---\n{}", secret(PAIR)),
    )?;
    env.start_operator()?;
    shell(&env, directory, &script("credentials.yaml")?).await?;

    // In a rotation, the last command must not be satisfied by the previous revision.
    env.sts
        .accept_pair(OTHER, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
    std::fs::write(directory.join("secret.yaml"), secret((OTHER, PAIR.1)))?;
    let rotate = script("apply -f secret.yaml")?;
    shell(&env, directory, &rotate).await?;
    let object = env.object("orders").await?;
    assert_eq!(object["status"]["published"]["keyIdSuffix"], "L2B4");
    assert_eq!(object["status"]["published"]["revision"], 2);

    std::fs::write(directory.join("secret.yaml"), secret((OTHER, " ")))?;
    let (until_seen, until_ready) = rotate.trim_end().rsplit_once('\n').context("one line")?;
    let soon = until_ready.replace("3m", "1s");
    shell(&env, directory, until_seen).await?;
    let Err(error) = shell(&env, directory, &soon).await else {
        anyhow::bail!("a refused pair counts as ready");
    };
    assert!(error.to_string().contains("timed out"), "{error}");
    let output = shell(&env, directory, &script("condition=Stalled")?).await?;
    assert!(output.contains("holds only white space"), "{output}");
    Ok(())
}

async fn columns_and_field_selectors_show_a_published_resource(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::open(&test_cluster).await?;
    env.source("orders-key-pair", PAIR).await?;
    env.resource("orders", &json!({})).await?;
    env.source("bills-key-pair", PAIR).await?;
    env.resource("bills", &json!({})).await?;
    env.start_operator()?;
    env.until("orders", "Ready", "Published").await?;
    env.until("bills", "Ready", "Published").await?;
    let rows = async |args: &[&str]| -> Result<Vec<Vec<String>>> {
        let table = env.kubectl(&[&["get"], args].concat()).await?;
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        Ok(table.lines().skip(1).map(words).collect())
    };
    let row = &rows(&["awscreds", "orders"]).await?[0];
    assert_eq!(
        row[..5],
        ["orders", "True", "Published", ACCOUNT, "orders-credentials"]
    );
    let wide = &rows(&["aws-credentials", "-o", "wide"]).await?;
    assert_eq!(wide.len(), 2);
    assert_eq!(wide[1][6..8], ["L2A3", "True"]);
    assert_eq!(
        wide[1][8..].join(" "),
        "Secret \"orders-credentials\" holds the proven pair of Secret \"orders-key-pair\""
    );
    let directory = tempfile::tempdir()?;
    let found = shell(&env, directory.path(), &script("--field-selector")?).await?;
    let of_namespace = found
        .lines()
        .filter(|line| line.starts_with(&env.namespace));
    let names: Vec<_> = of_namespace
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(names, ["orders", "orders"], "{found}");
    Ok(())
}
