//! The environment of a test: a namespace with a separate operator, a proxy that counts the requests to the API server,
//! and an STS with scripted answers.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use cluster::{
    child_process::ChildProcess,
    ports::unused_address,
    proxy::{Counts, Proxy},
    sts::Sts,
};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;

use crate::harness::invariants::Invariants;
pub use crate::harness::{
    launch::get_http,
    test_cluster::{ACCOUNT, ARN, PAIR, SECOND, TestCluster, rights},
};

/// A test: it gets the cluster, and creates its environments there.
pub type Test = crate::suite::Test<TestCluster>;

/// Maximal number of characters of the objects in the error of a timeout; there may be 10,000 resources.
const MAX_OUTPUT: usize = 50_000;
/// More than the minute before a rejection counts, with a margin for a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// The state of one test.
pub struct TestEnv {
    pub test_cluster: Arc<TestCluster>,
    pub namespace: String,
    pub proxy: Proxy,
    pub sts: Sts,
    pub secrets: Api<Secret>,
    pub resources: Api<StaticAwsCredentials>,
    pub bind: String,
    pub invariants: Arc<Invariants>,
    /// Further environment variables for the next start.
    pub environment: Vec<(String, String)>,
    pub kubeconfig: PathBuf,
    pub operator: Option<ChildProcess>,
    pub flags: Vec<String>,
}

impl TestEnv {
    /// A namespace with a running operator.
    pub async fn open(test_cluster: Arc<TestCluster>) -> Result<Self> {
        let mut env = Self::before_start(test_cluster).await?;
        env.start_operator().await?;
        Ok(env)
    }

    /// A namespace whose operator is not started yet.
    pub async fn before_start(test_cluster: Arc<TestCluster>) -> Result<Self> {
        let cluster = test_cluster.cluster();
        let namespace = cluster.namespace("env").await?;
        cluster.apply(&rights(&namespace, &namespace)?).await?;
        let proxy = test_cluster.proxy().await?;
        let kubeconfig = cluster
            .service_account_kubeconfig(&namespace, "operator", Some(&proxy.url()))
            .await?;
        let sts = Sts::start().await?;
        for (id, secret) in [PAIR, SECOND] {
            sts.accept_pair(id, secret, ACCOUNT, ARN, "AIDAQUAIL");
        }
        let client: Client = cluster.client();
        let invariants = Invariants::of(client.clone(), &namespace);
        Ok(Self {
            secrets: Api::namespaced(client.clone(), &namespace),
            resources: Api::namespaced(client, &namespace),
            flags: vec!["--namespace".to_owned(), namespace.clone()],
            bind: unused_address()?,
            invariants,
            environment: Vec::new(),
            operator: None,
            kubeconfig,
            namespace,
            proxy,
            sts,
            test_cluster,
        })
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
            self.invariants.secret(value);
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

    /// Creates a resource. `spec` is merged over one with `source` and eu-west-1; null removes a field.
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
        self.test_cluster.cluster().apply(&text).await?;
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

    /// Waits until Ready is True, in a status about the current generation and source.
    pub async fn until_ready(&self, name: &str) -> Result<StaticAwsCredentials> {
        self.until_status(name, "Ready", "True", "Published").await
    }

    /// Waits until a condition has this status and reason, in a status about the current generation and source.
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
            let current = observes(&object, source.as_ref());
            Ok((holds && current).then_some(object))
        })
        .await
    }

    /// Waits until `check` returns a value.
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
                    .test_cluster
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
                let state: String = state.chars().take(MAX_OUTPUT).collect();
                let log = self.invariants.log_tails();
                bail!("not within {PATIENCE:?}: {what}\n{state}\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The operator's requests to the API server since a mark, after it has become idle.
    pub async fn costs(&self, mark: usize) -> Result<Counts> {
        self.until_idle().await?;
        Ok(self.proxy.counts(mark))
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

/// Status and reason of a condition.
pub fn condition(object: &StaticAwsCredentials, kind: &str) -> Option<(String, String)> {
    let condition = find(object, kind)?;
    Some((condition.status.clone(), condition.reason.clone()))
}

/// The message of a condition.
pub fn message(object: &StaticAwsCredentials, kind: &str) -> String {
    let condition = find(object, kind);
    condition.map_or_else(String::new, |condition| condition.message.clone())
}

fn find<'a>(object: &'a StaticAwsCredentials, kind: &str) -> Option<&'a Condition> {
    let conditions = &object.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether the status is about the current generation and source.
pub fn observes(object: &StaticAwsCredentials, source: Option<&Secret>) -> bool {
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

/// Merges one value over another; null removes a field.
pub fn merge(into: &mut Value, from: Value) {
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
