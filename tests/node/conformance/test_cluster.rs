//! The test bed of the SDKs: a cluster with a node, moto, and the operator with the chart's rules.

use std::{
    collections::BTreeMap,
    io::Write,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anyhow::{Context, Result};
use cluster::{
    chart,
    child_process::ChildProcess,
    control_plane::{ControlPlane, Options},
    leak_check::Canaries,
    moto::{KeyPair, Moto},
    node::Node,
    shipped::CRD,
};
use kube::{Api, runtime::wait::await_condition};
use serde_json::{Value, json};
use static_aws_credentials::api::{Layout, StaticAwsCredentials};
use tokio::time::timeout;

use crate::conformance::{
    examples::{self, Example},
    operator,
    pairs::{Pairs, SOURCES, USERS},
    way::Way,
};

/// Time limit for actions that usually take seconds.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// The fields are dropped from top to bottom.
pub struct TestCluster {
    operator: ChildProcess,
    pub moto: Moto,
    pub node: Node,
    pub cluster: ControlPlane,
    /// Namespace in which pods may mount directories of the machine.
    pub open: String,
    /// Namespace under Pod Security `restricted`.
    pub restricted: String,
    /// The examples of docs/sdks.md.
    pub examples: BTreeMap<Way, Example>,
}

impl TestCluster {
    pub async fn start() -> Result<Self> {
        let examples = Way::all().into_iter();
        let examples = examples.map(|way| Ok((way, examples::of(way)?)));
        let examples: BTreeMap<Way, Example> = examples.collect::<Result<_>>()?;
        let (cluster, moto) = tokio::join!(
            ControlPlane::start(Options::with_node()),
            Moto::start(IpAddr::V4(Ipv4Addr::LOCALHOST))
        );
        let (cluster, moto) = (cluster?, moto?);
        let node = Node::start(&cluster).await?;
        cluster.define(CRD).await?;
        let open = cluster.namespace("sdks").await?;
        let restricted = cluster.restricted_namespace("restricted").await?;
        let operator = operator::start(&cluster, moto.url()).await?;
        inject(&cluster, &node, &examples[&Way::CREDENTIAL_PROCESS]).await?;
        let port = moto
            .url()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        node.expose(port.context("moto has no port")?)?;
        moto.create_bucket(USERS.others).await?;
        for user in USERS.both() {
            moto.create_user(user).await?;
            moto.allow_listing(user, USERS.others).await?;
        }
        Ok(Self {
            operator,
            moto,
            node,
            cluster,
            open,
            restricted,
            examples,
        })
    }

    /// The address of moto for pods.
    pub fn endpoint(&self) -> String {
        let port = self.moto.url().rsplit(':').next().unwrap_or_default();
        format!("http://{}:{port}", self.node.bridge_address())
    }

    /// Creates a further pair of each user, and writes it into the sources in both namespaces.
    pub async fn new_pairs(&self) -> Result<Pairs<KeyPair>> {
        let pairs = Pairs {
            process: self.moto.create_access_key(USERS.process).await?,
            others: self.moto.create_access_key(USERS.others).await?,
        };
        self.write_source(SOURCES.process, &pairs.process).await?;
        self.write_source(SOURCES.others, &pairs.others).await?;
        Ok(pairs)
    }

    /// Fails if the operator exposed one of these pairs outside of its targets.
    pub async fn kept_secret(&self, pairs: &[&KeyPair]) -> Result<()> {
        let secrets: Vec<&str> = { pairs.iter() }
            .flat_map(|pair| [&*pair.id, &*pair.secret])
            .collect();
        let canaries = Canaries::of(&Vec::from_iter(secrets))?;
        canaries.unlogged(self.operator.log())?;
        canaries.unwritten(&self.cluster).await
    }

    pub async fn deactivate(&self, pairs: &Pairs<KeyPair>) -> Result<()> {
        let (process, others) = (&pairs.process.id, &pairs.others.id);
        self.moto
            .set_key_active(USERS.process, process, false)
            .await?;
        self.moto.set_key_active(USERS.others, others, false).await
    }

    async fn write_source(&self, name: &str, pair: &KeyPair) -> Result<()> {
        for namespace in [&self.open, &self.restricted] {
            let source = json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": { "name": name, "namespace": namespace },
                "stringData": { "AWS_ACCESS_KEY_ID": pair.id, "AWS_SECRET_ACCESS_KEY": pair.secret },
            });
            self.cluster.apply(&source.to_string()).await?;
        }
        Ok(())
    }

    /// Applies the examples in both namespaces; their Deployments and pods only in a dry run.
    pub async fn apply_examples(&self) -> Result<()> {
        for example in self.examples.values() {
            for namespace in [&self.open, &self.restricted] {
                self.cluster.apply(&example.manifests(namespace)).await?;
            }
            let mut pod =
                json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "pod" } });
            pod["spec"] = example.pod_spec().clone();
            for object in [&example.deployment, &pod] {
                self.dry_run(object).await?;
            }
        }
        Ok(())
    }

    /// Waits until every example's target holds its pair, in both namespaces.
    pub async fn published(&self, pairs: &Pairs<KeyPair>) -> Result<()> {
        for ((way, example), namespace) in self.examples.iter().flat_map(|example| {
            [&self.open, &self.restricted].map(|namespace| (example, namespace))
        }) {
            let pair = pairs.of(*way);
            let client = self.cluster.client();
            let resources = Api::<StaticAwsCredentials>::namespaced(client, namespace);
            let holds = |object: Option<&StaticAwsCredentials>| {
                let status = object.and_then(|object| object.status.as_ref());
                let published = status.and_then(|status| status.published.as_ref());
                published.is_some_and(|published| pair.id.ends_with(&published.key_id_suffix))
            };
            timeout(
                PATIENCE,
                await_condition(resources, &example.resource, holds),
            )
            .await
            .with_context(|| format!("{} is not published", example.resource))??;
        }
        Ok(())
    }

    /// Waits until the operator reports that no pod holds the helper's previous pair, and that some pod holds the other
    /// previous pair.
    pub async fn may_deactivate(&self) -> Result<()> {
        self.until_in_use(Way::CREDENTIAL_PROCESS, "False").await?;
        self.until_in_use(Way::Layout(Layout::Env), "True").await
    }

    async fn until_in_use(&self, way: Way, in_use: &str) -> Result<()> {
        let resource = &self.examples[&way].resource;
        for namespace in [&self.open, &self.restricted] {
            let resources =
                Api::<StaticAwsCredentials>::namespaced(self.cluster.client(), namespace);
            let is_reported = |object: Option<&StaticAwsCredentials>| {
                let status = object.and_then(|object| object.status.as_ref());
                let mut all = status.into_iter().flat_map(|status| &status.conditions);
                all.any(|one| one.type_ == "PreviousKeyInUse" && one.status == in_use)
            };
            let patience = 2 * PATIENCE + Duration::from_secs(ttl());
            let waited = timeout(patience, await_condition(resources, resource, is_reported)).await;
            if waited.is_err() {
                let get = ["-n", namespace, "get", "awscreds", resource, "-o", "yaml"];
                anyhow::bail!("held still: {}", self.cluster.kubectl(&get).await?);
            }
        }
        Ok(())
    }

    /// Creates the object in a dry run under `restricted`, which rejects a pod that violates it.
    async fn dry_run(&self, manifest: &Value) -> Result<()> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(manifest.to_string().as_bytes())?;
        let path = file.path().display().to_string();
        let args = [
            "create",
            "--dry-run=server",
            "-n",
            &self.restricted,
            "-f",
            &path,
        ];
        self.cluster.kubectl(&args).await.map(drop)
    }
}

/// Seconds for which SDKs keep the helper's answer. `CREDENTIAL_PROCESS_TTL=1080` is the value of a real cluster, and
/// takes half an hour.
pub fn ttl() -> u64 {
    let given = std::env::var("CREDENTIAL_PROCESS_TTL").ok();
    let given = given.and_then(|given| given.parse().ok());
    given.unwrap_or(examples::LIFETIME)
}

/// Installs the injection, and imports the image of the helper.
async fn inject(cluster: &ControlPlane, node: &Node, example: &Example) -> Result<()> {
    let values = ["injection.enabled=true"];
    let rendered = chart::rendered("injection", "aws", &values, &["injection/*"]).await?;
    cluster.apply(&rendered).await?;
    let built = tokio::task::spawn_blocking(image::built).await??;
    node.import_archive(&built.archive, &built.name).await?;
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod" });
    pod["metadata"] = json!({ "name": "pod", "namespace": "default" });
    pod["metadata"]["annotations"] = example.pod_annotations().clone();
    pod["spec"] = example.pod_spec().clone();
    chart::until_injected(cluster, &pod.to_string()).await
}
