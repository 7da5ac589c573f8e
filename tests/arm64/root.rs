//! The operator in a root that has the files of the image and those of the test, as the user of the image: `check`, and
//! a whole reconcile against an API server.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{
    child_process::{ChildProcess, log_tail},
    control_plane::{ControlPlane, Options},
    kubeconfig::{self, Proof},
    leak_check::assert_unlogged,
};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    HELPER, NAME,
    binary::{install, program},
    emulation,
    reader::read,
    rights::rights,
    sts::{ACCOUNT, ARN, PAIR, sts},
};

/// Emulation is slower than a processor.
const PATIENCE: Duration = Duration::from_mins(2);
/// A secret of another pair.
const WRONG: &str = "wAnotherSecretThanThatOfThePair/wSecretNo";

/// The root, which is deleted at the end.
struct Root(TempDir);

impl Root {
    fn new() -> Result<Self> {
        let root = tempfile::tempdir()?;
        for (path, entry) in &read().root {
            let place = root.path().join(path);
            match path.as_str() {
                NAME | HELPER => install(program(path), &place),
                _ if entry.content.is_empty() => fs::create_dir_all(place)?,
                _ => fs::write(place, &entry.content)?,
            }
        }
        for mounted in ["dev", "proc"] {
            fs::create_dir(root.path().join(mounted))?;
        }
        Ok(Self(root))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The path of the operator in the root.
fn operator_path() -> PathBuf {
    Path::new("/").join(NAME)
}

/// A source, and the resource that names it.
fn manifests(secret: &str) -> [Value; 2] {
    let source = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "source" },
        "stringData": { "AWS_ACCESS_KEY_ID": PAIR.0, "AWS_SECRET_ACCESS_KEY": secret },
    });
    let resource = json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": { "name": "pair" },
        "spec": {
            "secretRef": { "name": "source" },
            "region": "eu-west-1",
            "validation": { "accountId": ACCOUNT },
        },
    });
    [source, resource]
}

fn list(secret: &str) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": manifests(secret) }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_judges_a_file() -> Result<()> {
    let (root, sts) = (Root::new()?, sts().await?);
    for (secret, code, reason) in [
        (PAIR.1, 0, "IdentityVerified"),
        (WRONG, 1, "SignatureMismatch"),
    ] {
        fs::write(root.path().join("manifests.json"), list(secret))?;
        let url = sts.url();
        let args = ["check", "-f", "/manifests.json", "--sts-endpoint", &url];
        let mut check = emulation::command(root.path(), &operator_path());
        let output = check.args(args).args(["-o", "json"]).output()?;
        ensure!(output.status.code() == Some(code), "{output:?}");
        let verdict: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(verdict["reason"] == reason, "{verdict}");
        ensure!(verdict["resource"] == "pair", "{verdict}");
        if code == 0 {
            ensure!(verdict["identity"]["arn"] == ARN, "{verdict}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconcile_publishes_a_proven_pair_and_refuses_a_wrong_secret() -> Result<()> {
    let cluster = ControlPlane::start(Options::default()).await?;
    cluster.define(cluster::shipped::CRD).await?;
    let namespace = cluster.namespace("arm64").await?;
    let (root, sts) = (Root::new()?, sts().await?);
    let operator = operator(&cluster, &root, &namespace, &sts.url()).await?;

    let applied = apply(&cluster, &namespace, PAIR.1).await;
    applied.context("the first pair")?;
    until_ready(&cluster, &namespace, &operator, "Published").await?;
    let published = target(&cluster, &namespace).await?;
    for (key, value) in [
        ("AWS_ACCESS_KEY_ID", PAIR.0),
        ("AWS_SECRET_ACCESS_KEY", PAIR.1),
        ("AWS_REGION", "eu-west-1"),
    ] {
        let data = published.data.as_ref().and_then(|data| data.get(key));
        ensure!(data.is_some_and(|data| data.0 == value.as_bytes()), "{key}");
    }

    apply(&cluster, &namespace, WRONG).await?;
    until_ready(&cluster, &namespace, &operator, "SignatureMismatch").await?;
    ensure!(target(&cluster, &namespace).await? == published);

    operator.stop();
    ensure!(
        operator.exit_code() == Some(0),
        "{:?}",
        operator.exit_code()
    );
    assert_unlogged(operator.log(), &[PAIR.1, WRONG]);
    Ok(())
}

/// Starts the operator with the chart's rights in a namespace.
async fn operator(
    cluster: &ControlPlane,
    root: &Root,
    namespace: &str,
    endpoint: &str,
) -> Result<ChildProcess> {
    let items = rights(namespace)?;
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    cluster.apply(&list.to_string()).await?;
    let token = cluster.token(namespace, "operator").await?;
    fs::write(root.path().join("ca.crt"), cluster.ca_pem())?;
    let file = root.path().join("kubeconfig");
    let authority = Some(Path::new("/ca.crt"));
    kubeconfig::write(&file, cluster.url(), authority, Proof::Token(&token))?;
    let args = ["run", "--bind", "127.0.0.1:0", "--namespace", namespace];
    let args = [&args[..], &["--sts-endpoint", endpoint]].concat();
    let args = emulation::arguments(root.path(), &operator_path(), &args);
    let env = [("KUBECONFIG", "/kubeconfig"), ("AWSCREDS_LOG", "debug")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let log = cluster.directory().join("operator.log");
    ChildProcess::spawn("operator", Path::new("unshare"), &args, &env, &log)
}

async fn apply(cluster: &ControlPlane, namespace: &str, secret: &str) -> Result<()> {
    let mut items = manifests(secret);
    for item in &mut items {
        item["metadata"]["namespace"] = json!(namespace);
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    cluster.apply(&list.to_string()).await.map(drop)
}

async fn target(cluster: &ControlPlane, namespace: &str) -> Result<Secret> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client(), namespace);
    Ok(secrets.get("pair-credentials").await?)
}

/// Waits until the condition Ready has a reason.
async fn until_ready(
    cluster: &ControlPlane,
    namespace: &str,
    operator: &ChildProcess,
    expected: &str,
) -> Result<()> {
    const READY: &str = r#"jsonpath={.status.conditions[?(@.type=="Ready")].reason}"#;
    let end = Instant::now() + PATIENCE;
    loop {
        let get = ["-n", namespace, "get", "awscreds", "pair", "-o", READY];
        let reason = cluster.kubectl(&get).await?;
        if reason == expected {
            return Ok(());
        }
        operator.check()?;
        ensure!(
            Instant::now() < end,
            "Ready is {reason:?}, not {expected}: {}",
            log_tail(operator.log())?
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
