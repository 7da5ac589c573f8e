//! The published chart on a node. No image is imported, so containerd pulls the published one.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use cluster::{
    control_plane::{ControlPlane, Options},
    node::Node,
};

use crate::{
    NAME, TestCluster, marked,
    publish::Release,
    suite::tests,
    terminal::{Script, adapted},
};

tests![the_published_chart_installs_the_signed_image];

/// The commands that install the chart of a release are on this page.
const PAGE: &str = include_str!("../../README.md");
/// The pods that run then.
const PODS: &str = r"kubectl -n static-aws-credentials rollout status deployment/static-aws-credentials --timeout 1m
kubectl -n static-aws-credentials get events --field-selector reason=Pulled --no-headers \
  -o custom-columns=MESSAGE:.message
kubectl -n static-aws-credentials get pods \
  -o 'custom-columns=POD:.metadata.name,IMAGE:.status.containerStatuses[0].imageID'
";
/// The default of the chart.
const REPLICAS: usize = 2;

async fn the_published_chart_installs_the_signed_image(release: Arc<TestCluster>) -> Result<()> {
    if Node::is_lacking("the published chart was installed on no node")? {
        return Ok(());
    }
    let cluster = ControlPlane::start(Options::with_node()).await?;
    let node = Node::start(&cluster).await?;
    let installed = install(&release, &cluster).await;
    explained(&cluster, installed).await?;
    let signed = format!("{}@{}", release.image, release.digest);
    for path in [
        "spec.containers[*].image",
        "status.containerStatuses[*].imageID",
    ] {
        let output = format!("jsonpath={{.items[*].{path}}}");
        let operator = format!("app.kubernetes.io/name={NAME}");
        let get = ["-n", NAME, "get", "pods", "-l", &operator, "-o", &output];
        let found = cluster.kubectl(&get).await?;
        let found: Vec<&str> = found.split_whitespace().collect();
        ensure!(found == [signed.as_str(); REPLICAS], "{path}: {found:?}");
    }
    node.check()
}

async fn install(release: &Release, cluster: &ControlPlane) -> Result<String> {
    let terminal = &release.terminal;
    terminal.add_program("kubectl", cluster.kubectl_program())?;
    terminal.folder("installation")?;
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let counterparts = [
        ("ghcr.io", terminal.registry().to_owned()),
        (
            "helm install ",
            "helm install --plain-http --wait --timeout 4m ".to_owned(),
        ),
    ];
    let documented = marked::commands(PAGE, "published chart")?.to_owned();
    let commands = adapted(vec![documented], &counterparts)?.concat() + PODS;
    let script = Script {
        title: "the published chart on a node",
        folder: "installation",
        variables: &[("KUBECONFIG".to_owned(), kubeconfig)],
        commands: &commands,
    };
    terminal.run(&script).await
}

/// Adds the pods, the events and the operator's log to an error.
async fn explained<T>(cluster: &ControlPlane, result: Result<T>) -> Result<T> {
    let Err(error) = result else { return result };
    let mut found = String::new();
    for args in [
        &["get", "pods", "-A", "-o", "wide"][..],
        &["get", "events", "-A"],
        &["-n", NAME, "logs", "deployment/static-aws-credentials"],
    ] {
        found += &cluster.kubectl(args).await.unwrap_or_default();
    }
    bail!("{error:#}\n{found}")
}
