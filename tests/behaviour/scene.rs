//! What a test plays in: one control plane for all, and for each a namespace with an operator of
//! its own, a counting proxy before the API server and an STS that follows a script.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use cluster::{
    control_plane::{ControlPlane, Options},
    leash::Leashed,
    ports::unused_address,
    proxy::{Counts, Proxy, Record},
    sts::Sts,
};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;
use tokio::sync::OnceCell;

use crate::witness::Witness;

/// A test: it gets the stage and builds what it needs on it.
pub type Test = crate::suite::Test<Stage>;

/// How much is told of the resources when something does not happen; there may be ten thousand.
const TOLD: usize = 50_000;
/// More than the minute for which a refusal is not believed, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(150);
const CONSUMER_RULES: &str =
    include_str!("../../charts/static-aws-credentials/files/consumer-rules.yaml");
const RESTART_RULES: &str =
    include_str!("../../charts/static-aws-credentials/files/restart-rules.yaml");
const RULES: &str = include_str!("../../charts/static-aws-credentials/files/rules.yaml");
const LEASE_RULES: &str =
    include_str!("../../charts/static-aws-credentials/files/lease-rules.yaml");
const CRD: &str = include_str!("../../crds/staticawscredentials.awscredentials.dev.yaml");
static SCENES: AtomicUsize = AtomicUsize::new(0);

/// A pair of the shape that AWS gives out. The account is 123456789012.
pub const PAIR: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2A3",
    "wSecretOfTheFirstPair+wSecretOfTheFirst1",
);
/// A second pair of the same user.
pub const SECOND: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2B4",
    "wSecretOfTheSecondPair/wSecretOfTheSecnd",
);
/// The account of both.
pub const ACCOUNT: &str = "123456789012";
/// The user of both.
pub const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";

/// What all tests share.
pub struct Stage {
    cluster: ControlPlane,
    records: Mutex<Vec<Record>>,
    elsewhere: OnceCell<Arc<Stage>>,
}

/// What one test has for itself.
pub struct Scene {
    pub stage: Arc<Stage>,
    pub namespace: String,
    pub proxy: Proxy,
    pub sts: Sts,
    pub secrets: Api<Secret>,
    pub resources: Api<StaticAwsCredentials>,
    pub bind: String,
    pub witness: Arc<Witness>,
    /// More environment for the next start.
    pub environment: Vec<(String, String)>,
    kubeconfig: PathBuf,
    operator: Option<Leashed>,
    flags: Vec<String>,
}

impl Stage {
    /// A control plane with the CRD installed.
    pub async fn set() -> Result<Self> {
        let stage = Self {
            cluster: ControlPlane::start(Options::default()).await?,
            records: Mutex::default(),
            elsewhere: OnceCell::new(),
        };
        stage.define().await?;
        Ok(stage)
    }

    /// Installs the CRD.
    pub async fn define(&self) -> Result<()> {
        self.cluster.define(CRD).await
    }

    /// A second cluster, for the one test that has to harm it.
    pub async fn elsewhere(&self) -> Result<Arc<Self>> {
        let set = async || Self::set().await.map(Arc::new);
        let elsewhere = self.elsewhere.get_or_try_init(set).await?;
        Ok(Arc::clone(elsewhere))
    }

    /// A proxy for one process of the operator; what it asks for is remembered to the end.
    pub async fn proxy(&self) -> Result<Proxy> {
        let cluster = self.cluster();
        let proxy = Proxy::start(cluster.url(), &cluster.ca_pem()).await?;
        self.records().push(proxy.record());
        Ok(proxy)
    }

    /// What all processes of the operator asked for.
    pub fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn cluster(&self) -> &ControlPlane {
        &self.cluster
    }
}

impl Scene {
    /// A namespace with an operator that runs.
    pub async fn open(stage: Arc<Stage>) -> Result<Self> {
        let mut scene = Self::before_start(stage).await?;
        scene.start_operator().await?;
        Ok(scene)
    }

    /// A namespace whose operator is not started yet.
    pub async fn before_start(stage: Arc<Stage>) -> Result<Self> {
        let cluster = stage.cluster();
        let namespace = cluster.namespace("scene").await?;
        cluster.apply(&rights(&namespace, &namespace)?).await?;
        let proxy = stage.proxy().await?;
        let kubeconfig = cluster
            .service_account_kubeconfig(&namespace, "operator", Some(&proxy.url()))
            .await?;
        let sts = Sts::start().await?;
        for (id, secret) in [PAIR, SECOND] {
            sts.accept_pair(id, secret, ACCOUNT, ARN, "AIDAQUAIL");
        }
        let client: Client = cluster.client();
        let witness = Witness::of(client.clone(), &namespace);
        Ok(Self {
            secrets: Api::namespaced(client.clone(), &namespace),
            resources: Api::namespaced(client, &namespace),
            flags: vec!["--namespace".to_owned(), namespace.clone()],
            bind: unused_address()?,
            witness,
            environment: Vec::new(),
            operator: None,
            kubeconfig,
            namespace,
            proxy,
            sts,
            stage,
        })
    }

    /// From the next start on the operator speaks to the API server itself, by TLS.
    #[allow(dead_code, reason = "for the tests of faults")]
    pub async fn without_proxy(&mut self) -> Result<()> {
        let cluster = self.stage.cluster();
        let kubeconfig = cluster.service_account_kubeconfig(&self.namespace, "operator", None);
        self.kubeconfig = kubeconfig.await?;
        Ok(())
    }

    /// From the next start on the operator serves the namespace of another scene as well.
    #[allow(dead_code, reason = "for the tests of faults")]
    pub async fn share_with(&mut self, other: &Self) -> Result<()> {
        let rights = rights(&other.namespace, &self.namespace)?;
        self.stage.cluster().apply(&rights).await?;
        self.serve(&[&self.namespace.clone(), &other.namespace]);
        Ok(())
    }

    /// More flags for the next start.
    pub fn flag(&mut self, name: &str, value: &str) {
        self.flags.extend([name.to_owned(), value.to_owned()]);
    }

    /// Flags without a value for the next start.
    pub fn flags(&mut self, names: &[&str]) {
        self.flags
            .extend(names.iter().map(|name| (*name).to_owned()));
    }

    /// The namespaces that the operator serves from its next start on, and no other flags.
    pub fn serve(&mut self, namespaces: &[&str]) {
        let flags = namespaces
            .iter()
            .flat_map(|namespace| ["--namespace", namespace]);
        self.flags = flags.map(str::to_owned).collect();
    }

    /// The first namespace that the operator serves: that of its account.
    pub fn served(&self) -> Option<String> {
        self.flags.get(1).cloned()
    }

    pub async fn start_operator(&mut self) -> Result<()> {
        self.launch()?;
        self.ready().await
    }

    /// Starts the operator without waiting for it.
    pub fn launch(&mut self) -> Result<()> {
        let operator = self.replica(&self.kubeconfig, &self.bind, &self.flags)?;
        self.operator = Some(operator);
        Ok(())
    }

    /// Starts a process of the operator.
    pub fn replica(&self, kubeconfig: &Path, bind: &str, flags: &[String]) -> Result<Leashed> {
        self.replica_in(kubeconfig, bind, flags, &[])
    }

    /// The same with more in its environment.
    pub fn replica_in(
        &self,
        kubeconfig: &Path,
        bind: &str,
        flags: &[String],
        more: &[(String, String)],
    ) -> Result<Leashed> {
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let log = self
            .stage
            .cluster()
            .directory()
            .join(format!("operator-{number}.log"));
        let mut args = ["run", "--bind", bind].map(str::to_owned).to_vec();
        if !flags.iter().any(|flag| flag == "--sts-endpoint") {
            args.extend(["--sts-endpoint".to_owned(), self.sts.url()]);
        }
        args.extend(flags.iter().cloned());
        self.witness.log(log.clone());
        let env = [
            ("KUBECONFIG", kubeconfig.display().to_string()),
            ("AWSCREDS_LOG", "trace".to_owned()),
        ];
        let mut env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        env.extend_from_slice(more);
        env.extend(self.environment.iter().cloned());
        let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
        Leashed::spawn("operator", &program, &args, &env, &log)
    }

    /// Waits until the operator says that it is ready.
    pub async fn ready(&self) -> Result<()> {
        self.until("the operator is ready", async || {
            let answer = self.get_http("/readyz").await;
            Ok(answer
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
                .then_some(()))
        })
        .await
    }

    /// The operator's answer on its own port, head and body.
    pub async fn get_http(&self, path: &str) -> Result<String> {
        get_http(&self.bind, path).await
    }

    pub fn operator(&self) -> Result<&Leashed> {
        self.operator.as_ref().context("the operator does not run")
    }

    /// SIGTERM, and waits for the end.
    pub fn stop_operator(&mut self) {
        self.witness.scrape(&self.bind);
        self.operator = None;
    }

    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.operator()?.log())?)
    }

    /// Writes a source with a pair under the default keys.
    pub async fn source(&self, name: &str, pair: (&str, &str)) -> Result<Secret> {
        self.secret(
            name,
            &[
                ("AWS_ACCESS_KEY_ID", pair.0.as_bytes()),
                ("AWS_SECRET_ACCESS_KEY", pair.1.as_bytes()),
            ],
        )
        .await
    }

    /// Writes a Secret's whole content; it is created if absent.
    pub async fn secret(&self, name: &str, data: &[(&str, &[u8])]) -> Result<Secret> {
        for (_, value) in data {
            self.witness.secret(value);
        }
        let data = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), k8s_openapi::ByteString(value.to_vec())));
        let secret = Secret {
            metadata: kube::api::ObjectMeta {
                name: Some(name.to_owned()),
                ..Default::default()
            },
            data: Some(data.collect()),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        Ok(match self.secrets.get_opt(name).await? {
            None => self.secrets.create(&PostParams::default(), &secret).await?,
            Some(_) => {
                self.secrets
                    .replace(name, &PostParams::default(), &secret)
                    .await?
            }
        })
    }

    /// Creates a resource; `spec` is merged over one that names `source` and eu-west-1, null removes.
    pub async fn resource(
        &self,
        name: &str,
        source: &str,
        spec: Value,
    ) -> Result<StaticAwsCredentials> {
        let mut object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1",
            "kind": "StaticAwsCredentials",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": { "secretRef": { "name": source }, "region": "eu-west-1" },
        });
        merge(&mut object["spec"], spec);
        let text = serde_json::to_string(&object)?;
        self.stage.cluster().apply(&text).await?;
        Ok(self.resources.get(name).await?)
    }

    /// Changes a resource by a merge patch of its spec.
    pub async fn change(&self, name: &str, spec: Value) -> Result<()> {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.resources
            .patch(name, &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    pub async fn delete_secret(&self, name: &str) -> Result<()> {
        self.secrets.delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// Waits until Ready is True and speaks of the present generation and source.
    pub async fn until_ready(&self, name: &str) -> Result<StaticAwsCredentials> {
        self.until_status(name, "Ready", "True", "Published").await
    }

    /// Waits until a condition has a status and reason, of the present generation and source.
    pub async fn until_status(
        &self,
        name: &str,
        kind: &str,
        status: &str,
        reason: &str,
    ) -> Result<StaticAwsCredentials> {
        let what = format!("{name} has {kind}={status} with reason {reason}");
        self.until(&what, async || {
            let object = self.resources.get(name).await?;
            let source = self.secrets.get_opt(&object.spec.secret_ref.name).await?;
            let holds = condition(&object, kind) == Some((status.to_owned(), reason.to_owned()));
            let current = speaks_of(&object, source.as_ref());
            Ok((holds && current).then_some(object))
        })
        .await
    }

    /// Waits for something.
    pub async fn until<T>(
        &self,
        what: &str,
        check: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = check().await? {
                return Ok(found);
            }
            if began.elapsed() > PATIENCE {
                let state = self
                    .stage
                    .cluster()
                    .kubectl(&[
                        "get",
                        "staticawscredentials,secrets",
                        "-n",
                        &self.namespace,
                        "-o",
                        "yaml",
                    ])
                    .await
                    .unwrap_or_else(|error| error.to_string());
                let state: String = state.chars().take(TOLD).collect();
                let log = self.witness.log_tails();
                bail!("not within {PATIENCE:?}: {what}\n{state}\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the operator has made no request but watches and events for a while.
    pub async fn quiet(&self) {
        self.proxy
            .quiet_but_for(&["events"], Duration::from_millis(700))
            .await;
    }

    /// What the operator asked the API server since a mark, once it is quiet.
    pub async fn costs(&self, mark: usize) -> Counts {
        self.quiet().await;
        self.proxy.counts(mark)
    }

    /// The content of a Secret, as text.
    pub async fn content(&self, name: &str) -> Result<std::collections::BTreeMap<String, String>> {
        let secret = self.secrets.get(name).await?;
        let text = |(key, value): (String, k8s_openapi::ByteString)| {
            (key, String::from_utf8_lossy(&value.0).into_owned())
        };
        Ok(secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(text)
            .collect())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.operator.is_some() {
            self.stop_operator();
        }
    }
}

/// Status and reason of a condition.
pub fn condition(object: &StaticAwsCredentials, kind: &str) -> Option<(String, String)> {
    let conditions = &object.status.as_ref()?.conditions;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == kind)?;
    Some((condition.status.clone(), condition.reason.clone()))
}

/// The message of a condition.
pub fn message(object: &StaticAwsCredentials, kind: &str) -> String {
    let conditions = object
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    let condition = conditions.iter().find(|condition| condition.type_ == kind);
    condition
        .map(|condition| condition.message.clone())
        .unwrap_or_default()
}

/// Whether the status is about the present generation and source.
pub fn speaks_of(object: &StaticAwsCredentials, source: Option<&Secret>) -> bool {
    let Some(status) = &object.status else {
        return false;
    };
    let version = status
        .source
        .as_ref()
        .map(|version| version.resource_version.clone());
    Some(status.observed_generation) == object.metadata.generation
        && (object.spec.suspend || version == source.and_then(ResourceExt::resource_version))
}

/// The answer of a server on this machine, head and body.
pub async fn get_http(address: &str, path: &str) -> Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream
        .write_all(
            format!("GET {path} HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The rules that the chart gives the operator, in one list.
pub fn rules() -> Result<Vec<Value>> {
    let mut rules: Vec<Value> = serde_saphyr::from_str(RULES)?;
    let name = "{{ include \"static-aws-credentials.leaseName\" . }}";
    let lease_rules = LEASE_RULES.replace(name, "static-aws-credentials");
    for more in [&lease_rules, CONSUMER_RULES, RESTART_RULES] {
        rules.extend(serde_saphyr::from_str::<Vec<Value>>(more)?);
    }
    Ok(rules)
}

/// The rights that the chart gives the operator's account of another or the same namespace, in one.
pub fn rights(namespace: &str, account: &str) -> Result<String> {
    let rules = rules()?;
    let metadata = json!({ "name": "operator", "namespace": namespace });
    let made = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata });
    let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator" },
        "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": account }],
    });
    let documents = [made, role, binding].map(|document| document.to_string());
    Ok(documents.join("\n---\n"))
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                if value.is_null() {
                    into.remove(&key);
                    continue;
                }
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
