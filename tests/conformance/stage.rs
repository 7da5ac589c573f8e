//! What the SDKs are tried in: a cluster with a node, moto, and the operator with the chart's rules.

use std::{
    collections::BTreeMap,
    io::Write,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{
    canary::Canaries,
    chart,
    control_plane::{ControlPlane, Options},
    leash::{Leashed, log_tail},
    moto::{KeyPair, Moto},
    node::Node,
};
use kube::{Api, runtime::wait::await_condition};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;
use tokio::time::{sleep, timeout};

use crate::{
    examples::{self, Example},
    way::Way,
};

/// For what usually takes seconds.
pub const PATIENCE: Duration = Duration::from_mins(3);
const USER: &str = "orders";
const SOURCE: &str = "orders-key-pair";
const CONSUMER_RULES: &str =
    include_str!("../../charts/static-aws-credentials/files/consumer-rules.yaml");
const RULES: &str = include_str!("../../charts/static-aws-credentials/files/rules.yaml");
const CRD: &str = include_str!("../../crds/staticawscredentials.awscredentials.dev.yaml");

/// Dropped from top to bottom.
pub struct Stage {
    operator: Leashed,
    pub moto: Moto,
    pub node: Node,
    pub cluster: ControlPlane,
    /// Where pods may mount directories of the machine.
    pub open: String,
    /// Under Pod Security `restricted`.
    pub restricted: String,
    /// The examples of docs/sdks.md.
    pub examples: BTreeMap<Way, Example>,
}

impl Stage {
    pub async fn set() -> Result<Self> {
        let examples = Way::ALL.map(|way| Ok((way, examples::of(way)?)));
        let examples: BTreeMap<Way, Example> = examples.into_iter().collect::<Result<_>>()?;
        let (cluster, moto) = tokio::join!(
            ControlPlane::start(Options::with_node()),
            Moto::start(IpAddr::V4(Ipv4Addr::LOCALHOST))
        );
        let (cluster, moto) = (cluster?, moto?);
        let node = Node::start(&cluster).await?;
        cluster.define(CRD).await?;
        let open = cluster.namespace("sdks").await?;
        let restricted = cluster.namespace("restricted").await?;
        let label = "pod-security.kubernetes.io/enforce=restricted";
        cluster
            .kubectl(&["label", "namespace", &restricted, label])
            .await?;
        let operator = operator(&cluster, moto.url()).await?;
        inject(&cluster, &node, &examples[&Way::CredentialProcess]).await?;
        let port = moto
            .url()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        node.expose(port.context("moto has no port")?)?;
        moto.create_user(USER).await?;
        moto.create_bucket(USER).await?;
        moto.allow_listing(USER, USER).await?;
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

    /// moto, as pods reach it.
    pub fn endpoint(&self) -> String {
        let port = self.moto.url().rsplit(':').next().unwrap_or_default();
        format!("http://{}:{port}", self.node.bridge_address())
    }

    /// A further pair of the one user.
    pub async fn new_pair(&self) -> Result<KeyPair> {
        self.moto.create_access_key(USER).await
    }

    /// The operator has let nothing of these pairs out but by its targets.
    pub async fn kept_secret(&self, pairs: [&KeyPair; 2]) -> Result<()> {
        let secrets = pairs.map(|pair| [pair.id.as_str(), &pair.secret]);
        let canaries = Canaries::of(&secrets.concat())?;
        canaries.unlogged(self.operator.log())?;
        canaries.unwritten(&self.cluster).await
    }

    pub async fn deactivate(&self, pair: &KeyPair) -> Result<()> {
        self.moto.set_key_active(USER, &pair.id, false).await
    }

    /// Writes the source in both namespaces.
    pub async fn write_source(&self, pair: &KeyPair) -> Result<()> {
        for namespace in [&self.open, &self.restricted] {
            let source = json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": { "name": SOURCE, "namespace": namespace },
                "stringData": { "AWS_ACCESS_KEY_ID": pair.id, "AWS_SECRET_ACCESS_KEY": pair.secret },
            });
            self.cluster.apply(&source.to_string()).await?;
        }
        Ok(())
    }

    /// Applies the examples in both namespaces, and asks the API server whether it would take the rest.
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

    /// Waits until every example's target holds the pair, in both namespaces.
    pub async fn published(&self, pair: &KeyPair) -> Result<()> {
        for (example, namespace) in { self.examples.values() }.flat_map(|example| {
            [&self.open, &self.restricted].map(|namespace| (example, namespace))
        }) {
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

    /// Waits until the operator says that nobody holds the pair before any more.
    pub async fn may_deactivate(&self) -> Result<()> {
        let resource = &self.examples[&Way::CredentialProcess].resource;
        for namespace in [&self.open, &self.restricted] {
            let resources =
                Api::<StaticAwsCredentials>::namespaced(self.cluster.client(), namespace);
            let unused = |object: Option<&StaticAwsCredentials>| {
                let status = object.and_then(|object| object.status.as_ref());
                let mut all = status.into_iter().flat_map(|status| &status.conditions);
                all.any(|one| one.type_ == "PreviousKeyInUse" && one.status == "False")
            };
            let patience = 2 * PATIENCE + Duration::from_secs(ttl());
            let waited = timeout(patience, await_condition(resources, resource, unused)).await;
            if waited.is_err() {
                let get = ["-n", namespace, "get", "awscreds", resource, "-o", "yaml"];
                anyhow::bail!("held still: {}", self.cluster.kubectl(&get).await?);
            }
        }
        Ok(())
    }

    /// Under `restricted`, which refuses a pod that falls short of it.
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

/// For how many seconds SDKs keep what the helper told them. With `CREDENTIAL_PROCESS_TTL=1080` as in a real
/// cluster, which takes half an hour.
pub fn ttl() -> u64 {
    let given = std::env::var("CREDENTIAL_PROCESS_TTL").ok();
    let given = given.and_then(|given| given.parse().ok());
    given.unwrap_or(examples::LIFETIME)
}

/// What serves pods with the annotations, and the image that the helper comes from.
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

/// The built binary on this machine, under its own service account.
async fn operator(cluster: &ControlPlane, sts: &str) -> Result<Leashed> {
    let namespace = cluster.namespace("operator").await?;
    cluster.apply(&rights(&namespace)?).await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "operator", None)
        .await?;
    let bind = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let args = [
        "run",
        &format!("--bind={bind}"),
        &format!("--sts-endpoint={sts}"),
        "--list-consumers",
        &format!("--credential-process-ttl={}", ttl()),
    ]
    .map(str::to_owned);
    let env = [
        ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
        ("AWSCREDS_LOG".to_owned(), "trace".to_owned()),
    ];
    let log = cluster.directory().join("operator.log");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
    let operator = Leashed::spawn("operator", &program, &args, &env, &log)?;
    await_ready(&operator, &bind.to_string(), &log).await?;
    Ok(operator)
}

async fn await_ready(operator: &Leashed, bind: &str, log: &Path) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    // It has no way to call us.
    while !is_ready(bind).await.unwrap_or(false) {
        operator.check()?;
        ensure!(
            Instant::now() < end,
            "the operator is not ready:\n{}",
            log_tail(log).unwrap_or_default()
        );
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn is_ready(bind: &str) -> Result<bool> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(bind).await?;
    let request = b"GET /readyz HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

fn rights(namespace: &str) -> Result<String> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let mut rules: Vec<Value> = serde_saphyr::from_str(RULES)?;
    rules.extend(serde_saphyr::from_str::<Vec<Value>>(CONSUMER_RULES)?);
    let version = format!("{GROUP}/v1");
    let (name, account) = (
        json!({ "name": "operator" }),
        json!({ "name": "operator", "namespace": namespace }),
    );
    let documents = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": account }),
        json!({ "apiVersion": version, "kind": "ClusterRole", "metadata": name, "rules": rules }),
        json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": name,
            "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": "operator" },
            "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": namespace }],
        }),
    ];
    Ok(documents
        .map(|document| document.to_string())
        .join("\n---\n"))
}
