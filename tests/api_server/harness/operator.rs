//! The built operator with the token of an account, and helpers to observe its effects.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use cluster::{
    child_process::{ChildProcess, log_tail},
    control_plane::ControlPlane,
    leak_check::assert_unlogged,
    sts::Sts,
};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;

/// Two pairs of one user.
pub const PAIRS: [(&str, &str); 2] = [
    (
        "AKIARZPUZDIKQUAIL2A3",
        "wSecretOfTheFirstPair+wSecretOfTheFirst1",
    ),
    (
        "AKIARZPUZDIKQUAIL2B4",
        "wSecretOfTheSecondPair/wSecretOfTheSecnd",
    ),
];
const ACCOUNT: &str = "123456789012";
const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";
const PATIENCE: Duration = Duration::from_secs(90);
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// An operator that serves a namespace.
pub struct Operator {
    pub secrets: Api<Secret>,
    pub resources: Api<StaticAwsCredentials>,
    process: ChildProcess,
    _sts: Sts,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.process.stop();
        assert_unlogged(self.process.log(), &PAIRS.map(|(_, secret)| secret));
    }
}

impl Operator {
    /// Starts the operator for `namespace` as a pod of `home`, with an account.
    pub async fn start(
        cluster: &ControlPlane,
        (home, account, pod): (&str, &str, &str),
        namespace: &str,
        flags: &[&str],
    ) -> Result<Self> {
        let kubeconfig = cluster.pod_kubeconfig(home, account, pod).await?;
        let sts = Sts::start().await?;
        for (id, secret) in PAIRS {
            sts.accept_pair(id, secret, ACCOUNT, ARN, "AIDAQUAIL");
        }
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let log = cluster.directory().join(format!("operator-{number}.log"));
        let endpoint = sts.url();
        let mut args: Vec<&str> = vec!["run", "--bind", "127.0.0.1:0", "--sts-endpoint", &endpoint];
        args.extend(["--namespace", namespace]);
        args.extend(flags);
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let env = [
            ("KUBECONFIG".to_owned(), kubeconfig.display().to_string()),
            ("POD_NAME".to_owned(), pod.to_owned()),
            ("AWSCREDS_LOG".to_owned(), "trace".to_owned()),
        ];
        let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
        let client: Client = cluster.client();
        Ok(Self {
            secrets: Api::namespaced(client.clone(), namespace),
            resources: Api::namespaced(client, namespace),
            process: ChildProcess::spawn("operator", &program, &args, &env, &log)?,
            _sts: sts,
        })
    }

    /// Writes a source with one of the pairs.
    pub async fn source(&self, name: &str, (id, secret): (&str, &str)) -> Result<()> {
        let data = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
        let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
        let mut source = Secret {
            data: Some(data.into()),
            ..Secret::default()
        };
        source.metadata.name = Some(name.to_owned());
        let parameters = PostParams::default();
        if self.secrets.get_opt(name).await?.is_none() {
            self.secrets.create(&parameters, &source).await?;
        } else {
            self.secrets.replace(name, &parameters, &source).await?;
        }
        Ok(())
    }

    /// Creates a resource with the source `pair`.
    pub async fn resource(&self, name: &str, target: Value) -> Result<()> {
        let resource = serde_json::from_value(json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": name },
            "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1", "target": target },
        }))?;
        let parameters = PostParams::default();
        self.resources.create(&parameters, &resource).await?;
        Ok(())
    }

    pub async fn change(&self, name: &str, spec: Value) -> Result<()> {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let parameters = PatchParams::default();
        self.resources.patch(name, &parameters, &patch).await?;
        Ok(())
    }

    /// Deletes a resource and waits until it is gone.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let parameters = DeleteParams::default();
        self.resources.delete(name, &parameters).await?;
        self.until("the resource is gone", async || {
            let gone = self.resources.get_opt(name).await?.is_none();
            Ok(gone.then_some(()))
        })
        .await
    }

    /// Changes a Secret as another field manager.
    pub async fn edit(&self, name: &str, patch: Value) -> Result<()> {
        let parameters = PatchParams {
            field_manager: Some("kubectl-edit".to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(patch);
        self.secrets.patch(name, &parameters, &patch).await?;
        Ok(())
    }

    /// Waits until a Secret holds a pair and satisfies the predicate.
    pub async fn until_target(
        &self,
        name: &str,
        pair: (&str, &str),
        is: impl Fn(&Secret) -> bool,
    ) -> Result<Secret> {
        let what = format!("{name} holds {}, as asked for", pair.0);
        self.until(&what, async || {
            let found = self.secrets.get_opt(name).await?;
            Ok(found.filter(|secret| {
                let data = secret.data.as_ref();
                let id = data.and_then(|data| data.get("AWS_ACCESS_KEY_ID"));
                id.is_some_and(|id| id.0 == pair.0.as_bytes()) && is(secret)
            }))
        })
        .await
    }

    /// Waits until the condition Ready has a reason.
    pub async fn until_ready_is(&self, name: &str, reason: &str) -> Result<StaticAwsCredentials> {
        self.until(&format!("Ready of {name} is {reason}"), async || {
            let object = self.resources.get(name).await?;
            let status = object.status.as_ref();
            let holds = status.is_some_and(|status| {
                Some(status.observed_generation) == object.metadata.generation
                    && status
                        .conditions
                        .iter()
                        .any(|condition| condition.type_ == "Ready" && condition.reason == reason)
            });
            Ok(holds.then_some(object))
        })
        .await
    }

    /// Waits until a Secret does not exist.
    pub async fn until_gone(&self, name: &str) -> Result<()> {
        self.until(&format!("{name} is gone"), async || {
            Ok(self.secrets.get_opt(name).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits until the check returns a value.
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
            self.process.check()?;
            if began.elapsed() > PATIENCE {
                let log = log_tail(self.process.log())?;
                let resources = self
                    .resources
                    .list(&kube::api::ListParams::default())
                    .await?;
                let resources: Vec<_> = resources
                    .items
                    .iter()
                    .map(|item| json!([item.name_any(), item.spec, item.status]))
                    .collect();
                bail!("not within {PATIENCE:?}: {what}\n{resources:#?}\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Fails if the API server rejected a request of the operator.
    pub fn check_unhindered(&self) -> Result<()> {
        let log = std::fs::read_to_string(self.process.log())?;
        for sign in ["denied request", "forbidden", "refuses"] {
            ensure!(!log.contains(sign), "{log}");
        }
        Ok(())
    }
}
