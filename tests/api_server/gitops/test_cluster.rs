//! A namespace with or without a source, an STS stand-in, and an operator that can be started and stopped.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use cluster::{
    child_process::ChildProcess,
    control_plane::{ControlPlane, Options},
    shipped::CRD,
    sts::Sts,
};
use kube::{Api, core::DynamicObject, discovery::ApiResource};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;
use tokio::sync::OnceCell;

use crate::{
    gitops::{
        argo_cd,
        states::{self, State},
    },
    harness::sts::{PAIR, sts},
};

/// More than the minute in which a rejection is not trusted yet, with a margin for a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);
static OPERATORS: AtomicUsize = AtomicUsize::new(0);

/// State shared by all tests.
pub struct TestCluster {
    pub cluster: ControlPlane,
    states: OnceCell<Vec<State>>,
    test_data: OnceCell<()>,
}

/// State of one test.
pub struct TestEnv<'a> {
    pub cluster: &'a ControlPlane,
    pub namespace: String,
    pub sts: Sts,
    objects: Api<DynamicObject>,
    operator: Option<ChildProcess>,
}

impl TestCluster {
    /// A control plane with the CRD installed.
    pub async fn start() -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        cluster.define(CRD).await?;
        Ok(Self {
            cluster,
            states: OnceCell::new(),
            test_data: OnceCell::new(),
        })
    }

    /// A resource in each state, as stored by the API server.
    pub async fn states(&self) -> Result<&[State]> {
        let states = self.states.get_or_try_init(|| async {
            let env = TestEnv::open(self).await?;
            states::all(env).await
        });
        states.await.map(Vec::as_slice)
    }

    /// Ensures that the test data of the health script exists, rewritten if `UPDATE_ARGOCD` is set.
    pub async fn test_data(&self) -> Result<()> {
        let updated = self.test_data.get_or_try_init(|| async {
            let states = self.states().await?;
            argo_cd::update(states)
        });
        updated.await.copied()
    }
}

impl Drop for TestEnv<'_> {
    fn drop(&mut self) {
        self.stop_operator();
    }
}

impl<'a> TestEnv<'a> {
    /// A namespace without a running operator.
    pub async fn open(test_cluster: &'a TestCluster) -> Result<Self> {
        let cluster = &test_cluster.cluster;
        let namespace = cluster.namespace("gitops").await?;
        let sts = sts().await?;
        let kind = ApiResource::erase::<StaticAwsCredentials>(&());
        let objects = Api::namespaced_with(cluster.client(), &namespace, &kind);
        Ok(Self {
            cluster,
            namespace,
            sts,
            objects,
            operator: None,
        })
    }

    /// Starts the operator for this namespace.
    pub fn start_operator(&mut self) -> Result<()> {
        let number = OPERATORS.fetch_add(1, Ordering::Relaxed);
        let log = self
            .cluster
            .directory()
            .join(format!("operator-{number}.log"));
        let url = self.sts.url();
        let run = [
            "run",
            "--bind",
            "127.0.0.1:0",
            "--namespace",
            &self.namespace,
            "--sts-endpoint",
            &url,
        ];
        let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
        let kubeconfig = self.cluster.kubeconfig().display().to_string();
        let env = [
            ("KUBECONFIG".to_owned(), kubeconfig),
            ("AWSCREDS_LOG".to_owned(), "trace".to_owned()),
        ];
        let run = run.map(str::to_owned);
        self.operator = Some(ChildProcess::spawn("operator", &program, &run, &env, &log)?);
        Ok(())
    }

    /// Stops the operator and waits for its end.
    pub fn stop_operator(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.stop();
            cluster::leak_check::assert_unlogged(operator.log(), &[PAIR.1]);
        }
    }

    /// Writes a source.
    pub async fn source(&self, name: &str, pair: (&str, &str)) -> Result<()> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": name, "namespace": self.namespace },
            "stringData": { "AWS_ACCESS_KEY_ID": pair.0, "AWS_SECRET_ACCESS_KEY": pair.1 },
        });
        self.cluster.apply(&secret.to_string()).await?;
        Ok(())
    }

    /// Writes a resource whose source is named after it; fields of `spec` override the defaults.
    pub async fn resource(&self, name: &str, spec: &Value) -> Result<()> {
        let mut object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": { "secretRef": { "name": format!("{name}-key-pair") }, "region": "eu-west-1" },
        });
        for (field, value) in spec.as_object().into_iter().flatten() {
            object["spec"][field] = value.clone();
        }
        self.cluster.apply(&object.to_string()).await?;
        Ok(())
    }

    /// A resource as stored by the API server.
    pub async fn object(&self, name: &str) -> Result<Value> {
        Ok(serde_json::to_value(self.objects.get(name).await?)?)
    }

    /// Waits until a condition of a resource has a reason and the status observes the current generation.
    pub async fn until(&self, name: &str, kind: &str, reason: &str) -> Result<Value> {
        let wanted = async {
            loop {
                let object = self.object(name).await?;
                let observed =
                    object["status"]["observedGeneration"] == object["metadata"]["generation"];
                if observed && condition(&object, kind)["reason"] == reason {
                    return anyhow::Ok(object);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wanted).await {
            Ok(found) => found,
            Err(_) => bail!("no {kind} {reason} in {}", self.object(name).await?),
        }
    }

    /// Runs `kubectl` in the namespace.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String> {
        let args = [args, &["-n", &self.namespace]].concat();
        self.cluster.kubectl(&args).await
    }
}

/// A condition of an object, null if it is absent.
pub fn condition(object: &Value, kind: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|one| one["type"] == kind));
    found.cloned().unwrap_or(Value::Null)
}

/// A folder of the repository.
pub fn folder(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the repository.
pub fn text(path: &str) -> Result<String> {
    std::fs::read_to_string(folder(path)).with_context(|| path.to_owned())
}
