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
    ground::Ground,
    manifests::{self, RESOURCE, Scope, TARGET},
    operator,
    prepare::wants_pod,
    resource::Seen,
    screen::Screen,
    workload::Workload,
};

/// Everything that runs. Dropped from top to bottom.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) workload: Option<Workload>,
    pub(crate) operator: Option<ChildProcess>,
    pub(crate) ground: Option<Ground>,
    pub(crate) cloud: Option<Cloud>,
}

impl Stage {
    pub(crate) fn ground(&self) -> Result<&Ground> {
        self.ground.as_ref().context("there is no cluster")
    }

    pub(crate) fn cloud(&self) -> Result<&Cloud> {
        self.cloud.as_ref().context("there is no AWS")
    }
}

/// Step 1: a cluster and an AWS.
pub(crate) async fn cluster(args: &Args, stage: &mut Stage, screen: Screen) -> Result<()> {
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
    let Stage { cloud, ground, .. } = stage;
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
        let (own, told) = own(wants_pod(args)).await?;
        *ground = Some(own);
        Ok(told)
    };
    let (aws, place) = tokio::try_join!(aws, place)?;
    for told in &place {
        screen.held(told);
    }
    screen.held(&aws);
    if let Some(reason) = without_pod(args) {
        screen.note(&reason);
    }
    Ok(())
}

async fn own(pod: bool) -> Result<(Ground, Vec<String>)> {
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
    let mut told = vec![format!("Kubernetes {version} ({took}): {parts}")];
    if !pod {
        return Ok((Ground::own(control_plane, None), told));
    }
    let start = Instant::now();
    let node = Node::start(&control_plane)
        .await
        .context("the node does not start; cargo demo -- --no-pod goes on without one")?;
    let took = seconds(start.elapsed());
    told.push(format!("a node ({took}): containerd and kubelet"));
    Ok((Ground::own(control_plane, Some(node)), told))
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
pub(crate) async fn install(stage: &mut Stage, screen: Screen) -> Result<()> {
    screen.step(2, "The CRD and the operator");
    let ground = stage.ground()?;
    if ground.install_crd().await? {
        screen.held(&format!("CRD {} is installed", manifests::CRD_NAME));
    } else {
        screen.note(&format!(
            "CRD {} was there already; it is used as it is and stays",
            manifests::CRD_NAME
        ));
    }
    ground.settle().await?;
    screen.doing("starting the operator (usually 1 s)");
    let start = Instant::now();
    let started = operator::start(ground, stage.cloud()?.endpoint()).await?;
    let scope = match ground.scope() {
        Scope::Cluster => "ClusterRole",
        Scope::Namespace => "Role",
    };
    screen.held(&format!(
        "the operator runs on this machine, as its service account with the chart's {scope} ({})",
        seconds(start.elapsed())
    ));
    stage.operator = Some(started);
    Ok(())
}

/// Step 3: a source and a resource.
pub(crate) async fn request(args: &Args, stage: &Stage, screen: Screen) -> Result<()> {
    screen.step(3, "A Secret with a key pair, and a resource that names it");
    let (ground, cloud) = (stage.ground()?, stage.cloud()?);
    let pair = cloud.first()?;
    let masked = format!("…{}", manifests::suffix(pair));
    let shown = (masked.as_str(), "(not shown)");
    let namespace = &ground.namespace;
    screen.block(&manifests::request(namespace, &args.region, shown));
    let (id, secret) = manifests::quoted(pair);
    let yaml = manifests::request(namespace, &args.region, (&id, &secret));
    ground.apply(&yaml).await?;
    screen.held("applied");
    Ok(())
}

/// Step 4: verified and published.
pub(crate) async fn ready(stage: &Stage, screen: Screen) -> Result<()> {
    screen.step(
        4,
        "The pair is proven, and published to the Secret that pods mount",
    );
    let (ground, cloud) = (stage.ground()?, stage.cloud()?);
    screen.doing("asking STS (usually 1 s)");
    let seen = Seen::until_settled(ground).await?;
    seen.expect_ready(1)?;
    let table = ground.shown(screen, &["get", "awscreds", RESOURCE]).await?;
    screen.block(&table);
    ensure!(table.contains("True"), "the resource is not shown as ready");
    let (account, arn) = seen.identity().context("the status has no identity")?;
    let target = ground.objects::<Secret>().get(TARGET).await?;
    let keys = target.data.unwrap_or_default();
    let keys: Vec<&str> = keys.keys().map(String::as_str).collect();
    let mut told = format!("account {account}, {arn}");
    if let Some(calls) = cloud.sts_calls().await? {
        ensure!(calls == 1, "STS was asked {calls} times");
        told.push_str("; STS was asked once");
    }
    screen.held(&told);
    screen.held(&format!("Secret {TARGET} holds {}", keys.join(", ")));
    Ok(())
}

/// Step 5: a consumer.
pub(crate) async fn consume(stage: &mut Stage, screen: Screen) -> Result<()> {
    let (ground, cloud) = (stage.ground()?, stage.cloud()?);
    let Some(bucket) = cloud.bucket() else {
        screen.step(5, "A consumer: left out, since there is no bucket to read");
        return Ok(());
    };
    let endpoint = cloud.endpoint();
    let workload = if let (Some(node), Some(endpoint)) = (ground.node(), endpoint) {
        let title = "A pod mounts it, in a namespace with Pod Security `restricted`";
        screen.step(5, title);
        Workload::in_pod(ground, node, screen, (bucket, endpoint)).await?
    } else {
        screen.step(5, "A client reads a bucket with it, on this machine");
        Workload::on_this_machine(ground, bucket, endpoint).await?
    };
    let key = manifests::suffix(cloud.first()?);
    workload.reads(ground, key).await?;
    workload.show_last(ground, screen).await?;
    screen.held(&format!(
        "{} lists bucket {bucket} with AWS's SDK for Go, which reads the mounted files",
        workload.name()
    ));
    stage.workload = Some(workload);
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
