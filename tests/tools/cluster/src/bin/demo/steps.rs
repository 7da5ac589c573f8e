//! The steps up to a reading consumer, in their order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    child_process::ChildProcess,
    control_plane::{ControlPlane, Options},
    node::Node,
};
use k8s_openapi::api::core::v1::Secret;

use crate::{
    args::Args,
    cloud::Cloud,
    demo_cluster::DemoCluster,
    manifests::{self, RESOURCE, Scope, TARGET},
    operator,
    prepare::wants_pod,
    resource::Seen,
    screen::Screen,
    workload::Workload,
};

/// Everything that runs. Dropped from top to bottom.
#[derive(Default)]
pub(crate) struct Demo {
    pub(crate) workload: Option<Workload>,
    pub(crate) operator: Option<ChildProcess>,
    pub(crate) cluster: Option<DemoCluster>,
    pub(crate) cloud: Option<Cloud>,
}

impl Demo {
    pub(crate) fn cluster(&self) -> Result<&DemoCluster> {
        self.cluster.as_ref().context("there is no cluster")
    }

    pub(crate) fn cloud(&self) -> Result<&Cloud> {
        self.cloud.as_ref().context("there is no AWS")
    }
}

/// Step 1: a cluster and an AWS.
pub(crate) async fn cluster(args: &Args, demo: &mut Demo, screen: Screen) -> Result<()> {
    screen.step(
        1,
        if args.aws {
            "A cluster (usually 8 s)"
        } else {
            "A cluster, and moto in the place of AWS (usually 10 s)"
        },
    );
    screen.doing("starting");
    let start = Instant::now();
    let Demo { cloud, cluster, .. } = demo;
    let aws = async {
        if cloud.is_some() {
            return anyhow::Ok(match std::env::var("AWSCREDS_STS_ENDPOINT") {
                Ok(url) => format!("STS at {url}, as AWSCREDS_STS_ENDPOINT says"),
                Err(_) => format!("the real AWS, region {}", args.region),
            });
        }
        *cloud = Some(Cloud::pretend().await?);
        let took = seconds(start.elapsed());
        Ok(format!(
            "moto ({took}): IAM, STS and S3, which check every signature"
        ))
    };
    let place = async {
        if let Some(context) = &args.context {
            return anyhow::Ok(vec![format!("your cluster of context {context}")]);
        }
        let (own, text) = own(wants_pod(args)).await?;
        *cluster = Some(own);
        Ok(text)
    };
    let (aws, place) = tokio::try_join!(aws, place)?;
    for text in &place {
        screen.held(text);
    }
    screen.held(&aws);
    if let Some(reason) = without_pod(args) {
        screen.note(&reason);
    }
    Ok(())
}

async fn own(pod: bool) -> Result<(DemoCluster, Vec<String>)> {
    let start = Instant::now();
    let options = if pod {
        Options::with_node()
    } else {
        Options::default()
    };
    let control_plane = ControlPlane::start(options).await?;
    let version = control_plane
        .client()
        .apiserver_version()
        .await?
        .git_version;
    let took = seconds(start.elapsed());
    let parts = "etcd, API server, controller manager";
    let mut text = vec![format!("Kubernetes {version} ({took}): {parts}")];
    if !pod {
        return Ok((DemoCluster::own(control_plane, None), text));
    }
    let start = Instant::now();
    let node = Node::start(&control_plane)
        .await
        .context("the node does not start; cargo demo -- --no-pod goes on without one")?;
    let took = seconds(start.elapsed());
    text.push(format!("a node ({took}): containerd and kubelet"));
    Ok((DemoCluster::own(control_plane, Some(node)), text))
}

fn without_pod(args: &Args) -> Option<String> {
    let here =
        "the client that reads the bucket runs on this machine instead, with the target's files";
    let none = "no client reads a bucket, since yours is not known: name one with --bucket";
    let why = if args.context.is_some() {
        "No pod is started, since your cluster would need an image of the client".to_owned()
    } else if args.aws {
        "No pod is started: those of the demo's node have no DNS to find AWS with".to_owned()
    } else if args.no_pod {
        "No pod is started, as you wished".to_owned()
    } else {
        format!("No pod is started: {}", Node::supported().err()?)
    };
    let instead = if args.aws && args.bucket.is_none() {
        none
    } else {
        here
    };
    Some(format!("{why}; {instead}"))
}

/// Step 2: the CRD and the operator.
pub(crate) async fn install(demo: &mut Demo, screen: Screen) -> Result<()> {
    screen.step(2, "The CRD and the operator");
    let demo_cluster = demo.cluster()?;
    if demo_cluster.install_crd().await? {
        screen.held(&format!("CRD {} is installed", manifests::CRD_NAME));
    } else {
        screen.note(&format!(
            "CRD {} was there already; it is used as it is and stays",
            manifests::CRD_NAME
        ));
    }
    demo_cluster.settle().await?;
    screen.doing("starting the operator (usually 1 s)");
    let start = Instant::now();
    let started = operator::start(demo_cluster, demo.cloud()?.endpoint()).await?;
    let scope = match demo_cluster.scope() {
        Scope::Cluster => "ClusterRole",
        Scope::Namespace => "Role",
    };
    screen.held(&format!(
        "the operator runs on this machine, as its service account with the chart's {scope} ({})",
        seconds(start.elapsed())
    ));
    demo.operator = Some(started);
    Ok(())
}

/// Step 3: a source and a resource.
pub(crate) async fn request(args: &Args, demo: &Demo, screen: Screen) -> Result<()> {
    screen.step(3, "A Secret with a key pair, and a resource that names it");
    let (demo_cluster, cloud) = (demo.cluster()?, demo.cloud()?);
    let pair = cloud.first()?;
    let masked = format!("…{}", manifests::suffix(pair));
    let shown = (masked.as_str(), "(not shown)");
    let namespace = &demo_cluster.namespace;
    screen.block(&manifests::request(namespace, &args.region, shown));
    let (id, secret) = manifests::quoted(pair);
    let yaml = manifests::request(namespace, &args.region, (&id, &secret));
    demo_cluster.apply(&yaml).await?;
    screen.held("applied");
    Ok(())
}

/// Step 4: verified and published.
pub(crate) async fn ready(demo: &Demo, screen: Screen) -> Result<()> {
    screen.step(
        4,
        "The pair is proven, and published to the Secret that pods mount",
    );
    let (demo_cluster, cloud) = (demo.cluster()?, demo.cloud()?);
    screen.doing("asking STS (usually 1 s)");
    let seen = Seen::until_settled(demo_cluster).await?;
    seen.expect_ready(1)?;
    let table = demo_cluster
        .shown(screen, &["get", "awscreds", RESOURCE])
        .await?;
    screen.block(&table);
    ensure!(table.contains("True"), "the resource is not shown as ready");
    let (account, arn) = seen.identity().context("the status has no identity")?;
    let target = demo_cluster.objects::<Secret>().get(TARGET).await?;
    let keys = target.data.unwrap_or_default();
    let keys: Vec<&str> = keys.keys().map(String::as_str).collect();
    let mut text = format!("account {account}, {arn}");
    if let Some(calls) = cloud.sts_calls().await? {
        ensure!(calls == 1, "STS was asked {calls} times");
        text.push_str("; STS was asked once");
    }
    screen.held(&text);
    screen.held(&format!("Secret {TARGET} holds {}", keys.join(", ")));
    Ok(())
}

/// Step 5: a consumer.
pub(crate) async fn consume(demo: &mut Demo, screen: Screen) -> Result<()> {
    let (demo_cluster, cloud) = (demo.cluster()?, demo.cloud()?);
    let Some(bucket) = cloud.bucket() else {
        screen.step(5, "A consumer: left out, since there is no bucket to read");
        return Ok(());
    };
    let endpoint = cloud.endpoint();
    let workload = if let (Some(node), Some(endpoint)) = (demo_cluster.node(), endpoint) {
        let title = "A pod mounts it, in a namespace with Pod Security `restricted`";
        screen.step(5, title);
        Workload::in_pod(demo_cluster, node, screen, (bucket, endpoint)).await?
    } else {
        screen.step(5, "A client reads a bucket with it, on this machine");
        Workload::on_this_machine(demo_cluster, bucket, endpoint).await?
    };
    let key = manifests::suffix(cloud.first()?);
    workload.reads(demo_cluster, key).await?;
    workload.show_last(demo_cluster, screen).await?;
    screen.held(&format!(
        "{} lists bucket {bucket} with AWS's SDK for Go, which reads the mounted files",
        workload.name()
    ));
    demo.workload = Some(workload);
    Ok(())
}

/// A duration as text.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f32())
}

/// Fails with the observed value.
pub(crate) fn unexpected<T>(what: &str, seen: &str) -> Result<T> {
    bail!("{what}, but:\n{seen}")
}
