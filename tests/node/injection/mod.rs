//! A pod with only an annotation reads a bucket: on a real node, under the strictest of the Pod Security Standards, by
//! AWS's SDK for Go, from an S3 that checks every signature. Another pod keeps its client and still follows a rotation,
//! until the operator reports that the old key is unused, and beyond. Workloads that cannot follow are restarted.

mod manifests;
mod overlap;
mod restart;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    chart,
    child_process::{ChildProcess, log_tail},
    control_plane::{ControlPlane, Options},
    leak_check::Canaries,
    moto::{KeyPair, Moto},
    node::Node,
    s3client::{self, Outcome, Reading},
    shipped::CRD,
};

use manifests::{HOT, POD, REQUEST};

use crate::{TestCluster, suite::tests};

tests![a_pod_with_the_annotation_alone_follows_a_rotation_to_its_end_and_others_are_restarted,];

const PATIENCE: Duration = Duration::from_mins(3);
const RELEASE: &str = "static-aws-credentials";
const IMAGE: &str = "injection.test/s3client:1";
/// Far below the chart's minimum: a process follows a rotation this many seconds after its file.
const TTL: u32 = 20;

/// State that both scenarios share.
struct Fixture {
    cluster: ControlPlane,
    node: Node,
    moto: Moto,
    operator: ChildProcess,
    /// Address of S3 for pods.
    endpoint: String,
}

async fn a_pod_with_the_annotation_alone_follows_a_rotation_to_its_end_and_others_are_restarted(
    _: Arc<TestCluster>,
) -> Result<()> {
    if Node::is_lacking("no pod was run")? {
        return Ok(());
    }
    let fixture = Fixture::start().await?;
    let (followed, restarted) = tokio::try_join!(
        follows_to_its_end(&fixture),
        restart::three_at_once_and_no_more_while_one_is_unhealthy(&fixture)
    )?;
    fixture.operator.stop();
    let log = std::fs::read_to_string(fixture.operator.log())?;
    let warned = log.contains("--credential-process-ttl is below 960");
    ensure!(warned, "it does not say that the setting is too low");
    let pairs = followed.into_iter().chain(restarted);
    let values: Vec<String> = pairs.flat_map(|pair| [pair.id, pair.secret]).collect();
    let canaries = Canaries::of(&values)?;
    canaries.unlogged(fixture.operator.log())?;
    canaries.unwritten(&fixture.cluster).await
}

impl Fixture {
    async fn start() -> Result<Self> {
        let cluster = ControlPlane::start(Options::with_node()).await?;
        let node = Node::start(&cluster).await?;
        let moto = Moto::start(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        moto.create_bucket("orders").await?;
        moto.put_object("orders", "order.json", "{}").await?;
        let operator = install(&cluster, moto.url()).await?;
        let port = moto.url().rsplit(':').next().context("no port")?;
        node.expose(port.parse()?)?;
        let binary = tokio::task::spawn_blocking(s3client::binary).await??;
        node.import_image(IMAGE, &binary, &[]).await?;
        let built = tokio::task::spawn_blocking(image::built).await??;
        node.import_archive(&built.archive, &built.name).await?;
        let endpoint = format!("http://{}:{port}", node.bridge_address());
        Ok(Self {
            cluster,
            node,
            moto,
            operator,
            endpoint,
        })
    }

    /// Creates a key pair of a user that may list the bucket.
    async fn user(&self, name: &str) -> Result<KeyPair> {
        self.moto.create_user(name).await?;
        self.moto.allow_listing(name, "orders").await?;
        self.moto.create_access_key(name).await
    }
}

/// Three pods, one of which keeps its client. Returns the pairs.
async fn follows_to_its_end(fixture: &Fixture) -> Result<[KeyPair; 2]> {
    let (cluster, node) = (&fixture.cluster, &fixture.node);
    let namespace = cluster.restricted_namespace("orders").await?;
    let first = fixture.user("orders").await?;
    request(cluster, &namespace, &first).await?;
    let reader = POD
        .replace("NAMESPACE", &namespace)
        .replace("<S3>", &fixture.endpoint);
    chart::until_injected(cluster, &reader).await?;
    let hot = |pod: String, (from, to): (&str, &str)| pod.replace(from, to);
    let follower = HOT.into_iter().fold(reader.clone(), hot);
    let fixed = overlap::fixed(&reader);
    for pod in [&reader, &follower, &fixed] {
        cluster.apply(pod).await?;
    }
    for pod in ["reader", "follower", "fixed"] {
        reads_with(node, &namespace, pod, &first).await?;
    }

    let second = fixture.moto.create_access_key("orders").await?;
    request(cluster, &namespace, &second).await?;
    for pod in ["reader", "follower"] {
        reads_with(node, &namespace, pod, &second).await?;
    }
    let pods = [("reader", reader.as_str()), ("fixed", &fixed)];
    overlap::ends(cluster, &namespace, &pods).await?;
    fixture
        .moto
        .set_key_active("orders", &first.id, false)
        .await?;
    for (pod, _) in pods {
        reads_with(node, &namespace, pod, &second).await?;
    }
    tokio::time::sleep(Duration::from_secs(2 * u64::from(TTL))).await;
    never_started_anew(cluster, node, &namespace).await?;
    Ok([first, second])
}

/// The chart with injection, and its operator on this machine, with the rights that the chart grants.
async fn install(cluster: &ControlPlane, sts: &str) -> Result<ChildProcess> {
    cluster.define(CRD).await?;
    cluster.kubectl(&["create", "namespace", "aws"]).await?;
    let values = ["injection", "rotation.consumers", "rotation.restart"];
    let values = values.map(|part| format!("{part}.enabled=true"));
    let templates = ["policies/*", "injection/*", "serviceaccount", "clusterrole"];
    let rendered = chart::rendered(
        RELEASE,
        "aws",
        &values.each_ref().map(String::as_str),
        &templates,
    )
    .await?;
    cluster.apply(&rendered).await?;
    let pod = format!("{RELEASE}-0");
    let kubeconfig = cluster.pod_kubeconfig("aws", RELEASE, &pod).await?;
    let mut args = ["run", "--bind", "127.0.0.1:0", "--sts-endpoint", sts]
        .map(str::to_owned)
        .to_vec();
    args.extend(["--credential-process-ttl".to_owned(), TTL.to_string()]);
    args.extend(["--list-consumers", "--restart-consumers"].map(str::to_owned));
    let env = [
        ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
        ("AWSCREDS_LOG".to_owned(), "trace".to_owned()),
    ];
    let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
    let log = cluster.directory().join("operator.log");
    ChildProcess::spawn("operator", &program, &args, &env, &log)
}

/// Writes the source, and waits until its pair is published.
async fn request(cluster: &ControlPlane, namespace: &str, pair: &KeyPair) -> Result<()> {
    let quoted = |text: &str| serde_json::to_string(text);
    let manifest = REQUEST
        .replace("NAMESPACE", namespace)
        .replace("ID,", &format!("{},", quoted(&pair.id)?))
        .replace("SECRET}", &format!("{}}}", quoted(&pair.secret)?));
    cluster.apply(&manifest).await?;
    let suffix = pair.id.split_at(pair.id.len() - 4).1;
    let published = format!("--for=jsonpath={{.status.published.keyIdSuffix}}={suffix}");
    let wait = [
        "-n",
        namespace,
        "wait",
        "awscreds/orders",
        &published,
        "--timeout=180s",
    ];
    if let Err(error) = cluster.kubectl(&wait).await {
        let log = log_tail(&cluster.directory().join("operator.log"))?;
        bail!("{error:#}\n{log}");
    }
    Ok(())
}

/// Waits until a pod lists the bucket with this key.
async fn reads_with(node: &Node, namespace: &str, pod: &str, pair: &KeyPair) -> Result<()> {
    let began = Instant::now();
    loop {
        // There is no log before the container has started.
        let log = node.pod_log(namespace, pod, "s3client").unwrap_or_default();
        let found = log.lines().filter_map(Reading::parse).any(|reading| {
            reading.outcome == Outcome::Listed { objects: 1 } && pair.id.ends_with(&reading.key)
        });
        if found {
            return Ok(());
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "{pod}: no reading with {}: {log}",
            pair.id
        );
        node.check()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Fails if the follower's container restarted, or if one of its reads failed.
async fn never_started_anew(cluster: &ControlPlane, node: &Node, namespace: &str) -> Result<()> {
    let path = "jsonpath={.status.containerStatuses[0].restartCount}";
    let pod = ["-n", namespace, "get", "pod", "follower", "-o", path];
    let restarts = cluster.kubectl(&pod).await?;
    ensure!(restarts.trim() == "0", "it was started anew: {restarts}");
    let log = node.pod_log(namespace, "follower", "s3client")?;
    let mut readings = log.lines().filter_map(Reading::parse);
    let failed = readings.find(|reading| !matches!(reading.outcome, Outcome::Listed { .. }));
    ensure!(failed.is_none(), "{failed:?}");
    Ok(())
}
