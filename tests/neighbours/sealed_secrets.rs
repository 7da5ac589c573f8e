//! Sealed Secrets: its controller writes the source.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use cluster::{child_process::ChildProcess, control_plane::ControlPlane};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::ListParams};
use serde_json::json;

use crate::{
    life,
    program::{ACCOUNT, Package, start},
    suite::tests,
    test_env::{TestCluster, TestEnv},
};

tests![sealed_secrets_writes_the_source];

const MODULE: &str = "github.com/bitnami/sealed-secrets";
const CONTROLLER: Package = Package {
    module: "sealed-secrets",
    path: "github.com/bitnami/sealed-secrets/cmd/controller",
    name: "sealed-secrets",
    usual_seconds: 140,
};
const KUBESEAL: Package = Package {
    module: "sealed-secrets",
    path: "github.com/bitnami/sealed-secrets/cmd/kubeseal",
    name: "kubeseal",
    usual_seconds: 30,
};
/// The controller reads its account only from a pod's mount, so it gets those files on a private `/run`.
const IN_A_POD: &str = r#"
mount -t tmpfs tmpfs /run
account=/run/secrets/kubernetes.io/serviceaccount
mkdir -p "$account"
cp "$1/token" "$1/ca.crt" "$1/namespace" "$account"
shift
exec "$@"
"#;

async fn sealed_secrets_writes_the_source(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster();
    let (controller, kubeseal) = (CONTROLLER.build().await?, KUBESEAL.build().await?);
    for definition in CONTROLLER.files(MODULE, "helm/sealed-secrets/crds").await? {
        cluster.define(&definition).await?;
    }
    let start = async |home: &str| started(cluster, home, &controller).await;
    let neighbour = test_cluster.neighbour("sealed-secrets", start).await?;
    let home = neighbour.home.clone();
    let name = "Sealed Secrets writes the source";
    let test_cluster = Arc::clone(&test_cluster);
    let mut env = TestEnv::open(test_cluster, name, neighbour, Vec::new()).await?;
    let certificate = certificate(&env, &home).await?;
    let put = async |env: &TestEnv, pair: (&str, &str)| {
        let sealed = sealed(env, pair, &kubeseal, &certificate)?;
        env.test_cluster.cluster().apply(&sealed).await.map(drop)
    };
    life::run(&mut env, put, async |_, _, _| Ok(())).await?;
    env.close();
    Ok(())
}

async fn started(cluster: &ControlPlane, home: &str, controller: &Path) -> Result<ChildProcess> {
    let files = account_files(cluster, home).await?;
    let (files, controller) = (files.display(), controller.display());
    let (files, controller) = (files.to_string(), controller.to_string());
    let args = [
        "--mount",
        "--",
        "sh",
        "-euc",
        IN_A_POD,
        "sh",
        &files,
        &controller,
        "--listen-addr=127.0.0.1:0",
        "--listen-metrics-addr=127.0.0.1:0",
    ];
    let env = [
        ("KUBERNETES_SERVICE_HOST", "127.0.0.1".to_owned()),
        ("KUBERNETES_SERVICE_PORT", cluster.port().to_string()),
    ];
    start(cluster, home, (Path::new("unshare"), &args), &env).await
}

async fn account_files(cluster: &ControlPlane, home: &str) -> Result<std::path::PathBuf> {
    let directory = cluster.directory().join(format!("{home}-account"));
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("token"), cluster.token(home, ACCOUNT).await?)?;
    std::fs::write(directory.join("ca.crt"), cluster.ca_pem())?;
    std::fs::write(directory.join("namespace"), home)?;
    Ok(directory)
}

/// The certificate that the controller generated, in a file.
async fn certificate(env: &TestEnv, home: &str) -> Result<std::path::PathBuf> {
    let cluster = env.test_cluster.cluster();
    let secrets: Api<Secret> = Api::namespaced(cluster.client(), home);
    let active =
        ListParams::default().labels("sealedsecrets.bitnami.com/sealed-secrets-key=active");
    let made = async || Ok(secrets.list(&active).await?.items.pop());
    let key = env.until("it has a key", made).await?;
    let data = key.data.context("the key is empty")?;
    let path = cluster.directory().join(format!("{home}.crt"));
    std::fs::write(&path, &data.get("tls.crt").context("no certificate")?.0)?;
    Ok(path)
}

fn sealed(
    env: &TestEnv,
    (id, secret): (&str, &str),
    kubeseal: &Path,
    certificate: &Path,
) -> Result<String> {
    let plain = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": "pair", "namespace": env.namespace },
        "stringData": { "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret },
    });
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, plain.to_string())?;
    let output = std::process::Command::new(kubeseal)
        .args(["--format", "yaml", "--cert"])
        .arg(certificate)
        .stdin(std::fs::File::open(&file)?)
        .output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubeseal: {words}");
    Ok(String::from_utf8(output.stdout)?)
}
