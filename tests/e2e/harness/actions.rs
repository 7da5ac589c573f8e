//! Steps that several tests share, beyond writing a source and a resource.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::proxy::Counts;
use k8s_openapi::{
    api::core::v1::Secret,
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use static_aws_credentials::api::{Published, StaticAwsCredentials};

use crate::harness::test_env::{PAIR, TestCluster, TestEnv, condition};

/// The label that carries the UID of the resource.
pub const UID_LABEL: &str = "awscredentials.dev/uid";
/// The annotation of a Secret that names the resource that may adopt it.
pub const ADOPT_BY: &str = "awscredentials.dev/adopt-by";
/// The target of the resource `orders` unless its spec names another.
pub const TARGET: &str = "orders-credentials";

impl TestEnv {
    /// An environment in which `orders` has published `PAIR` from the Secret `pair`, and the operator is idle.
    pub async fn settled(test_cluster: Arc<TestCluster>) -> Result<Self> {
        Self::settled_with(test_cluster, json!({})).await
    }

    /// The same with a spec.
    pub async fn settled_with(test_cluster: Arc<TestCluster>, spec: Value) -> Result<Self> {
        let env = Self::open(test_cluster).await?;
        env.source("pair", PAIR).await?;
        env.resource("orders", "pair", spec).await?;
        env.until_converged("orders").await?;
        env.until_idle().await?;
        Ok(env)
    }

    /// The same with watches that end after this time and are reopened.
    pub async fn settled_with_short_watches(
        test_cluster: Arc<TestCluster>,
        watch: Duration,
    ) -> Result<Self> {
        let mut env = Self::before_start(test_cluster).await?;
        env.proxy.end_watches_after(watch);
        env.start_operator().await?;
        env.source("pair", PAIR).await?;
        env.resource("orders", "pair", json!({})).await?;
        env.until_converged("orders").await?;
        env.until_idle().await?;
        Ok(env)
    }

    /// Waits until Ready is True and the status is about the current source, spec and target.
    pub async fn until_converged(&self, name: &str) -> Result<StaticAwsCredentials> {
        let what = format!("{name} is Ready and its target is as published");
        self.until(&what, async || {
            let object = self.resources.get(name).await?;
            let Some(status) = &object.status else {
                return Ok(None);
            };
            let Some(published) = &status.published else {
                return Ok(None);
            };
            let source = self.secrets.get_opt(&object.spec.secret_ref.name).await?;
            let target = self.secrets.get_opt(&published.secret_name).await?;
            let ready = condition(&object, "Ready").is_some_and(|(status, _)| status == "True");
            let seen = status
                .source
                .as_ref()
                .map(|source| &source.resource_version);
            let current = Some(status.observed_generation) == object.metadata.generation
                && seen == source.and_then(|source| source.resource_version()).as_ref();
            let holds = target.is_some_and(|target| {
                target.uid().as_ref() == Some(&published.uid)
                    && target.resource_version().as_ref() == Some(&published.resource_version)
            });
            Ok((ready && current && holds).then_some(object))
        })
        .await
    }

    /// Waits until a condition has this status and reason; the status may be about an older source.
    pub async fn until_condition(
        &self,
        name: &str,
        kind: &str,
        status: &str,
        reason: &str,
    ) -> Result<StaticAwsCredentials> {
        let what = format!("{name} has {kind}={status} with reason {reason}");
        self.until(&what, async || {
            let object = self.resources.get(name).await?;
            let holds = condition(&object, kind) == Some((status.to_owned(), reason.to_owned()));
            Ok(holds.then_some(object))
        })
        .await
    }

    /// Waits until `/readyz` is 503 with these words, and checks that the process is alive.
    pub async fn until_unready(&self, words: &str) -> Result<()> {
        self.until(&format!("/readyz says {words}"), async || {
            let answer = self.get_http("/readyz").await.unwrap_or_default();
            let says = answer.starts_with("HTTP/1.1 503") && answer.contains(words);
            Ok(says.then_some(()))
        })
        .await?;
        assert!(self.get_http("/livez").await?.starts_with("HTTP/1.1 200"));
        assert!(self.operator()?.is_running());
        Ok(())
    }

    /// Deletes the target of `orders`, and waits until it is restored and the status is about the new one.
    pub async fn target_is_restored(&self) -> Result<()> {
        self.delete_secret(TARGET).await?;
        self.until("the target is back", async || {
            Ok(self.secrets.get_opt(TARGET).await?)
        })
        .await?;
        self.until_converged("orders").await.map(drop)
    }

    /// Waits until a Secret is gone.
    pub async fn until_gone(&self, name: &str) -> Result<()> {
        self.until(&format!("Secret {name} is gone"), async || {
            let secret = self.secrets.get_opt(name).await?;
            Ok(secret.is_none().then_some(()))
        })
        .await
    }

    /// Backdates the publication of the current pair, so that no test waits for the kubelet's 90 s.
    pub async fn published_before(&self, ago: SignedDuration) -> Result<Timestamp> {
        let at = Timestamp::from_second((Timestamp::now() - ago).as_second())?;
        let published = json!({ "published": { "time": Time(at) } });
        self.edit_status(published).await?;
        Ok(at)
    }

    pub async fn edit_status(&self, status: Value) -> Result<()> {
        let patch = Patch::Merge(json!({ "status": status }));
        self.resources
            .patch_status("orders", &PatchParams::default(), &patch)
            .await?;
        Ok(())
    }

    /// Changes a Secret by a merge patch, as an administrator with kubectl would.
    pub async fn edit_secret(&self, name: &str, patch: Value) -> Result<Secret> {
        let parameters = PatchParams {
            field_manager: Some("kubectl-edit".to_owned()),
            ..PatchParams::default()
        };
        let patched = self
            .secrets
            .patch(name, &parameters, &Patch::Merge(patch))
            .await;
        patched.with_context(|| format!("edit Secret {name}"))
    }

    /// Creates a Secret from a manifest without namespace and kind.
    pub async fn foreign(&self, manifest: Value) -> Result<Secret> {
        let secret: Secret = serde_json::from_value(manifest)?;
        Ok(self.secrets.create(&PostParams::default(), &secret).await?)
    }

    /// Deletes a resource and waits until it is gone.
    pub async fn delete_resource(&self, name: &str) -> Result<()> {
        self.resources
            .delete(name, &DeleteParams::default())
            .await?;
        self.until(&format!("{name} is gone"), async || {
            Ok(self.resources.get_opt(name).await?.is_none().then_some(()))
        })
        .await
    }

    /// `status.published` of a resource.
    pub async fn published(&self, name: &str) -> Result<Published> {
        let status = self.resources.get(name).await?.status;
        status
            .and_then(|status| status.published)
            .with_context(|| format!("{name} has published nothing"))
    }

    /// UID and resource version of a Secret.
    pub async fn version(&self, name: &str) -> Result<(String, String)> {
        let secret = self.secrets.get(name).await?;
        Ok((
            secret.uid().unwrap_or_default(),
            secret.resource_version().unwrap_or_default(),
        ))
    }

    /// Successful writes since a mark, without events. The creation of an existing name is not successful.
    pub fn changes(&self, mark: usize) -> usize {
        let since = self.proxy.since(mark);
        let changed = since.iter().filter(|request| {
            let changed = request.status.is_some_and(|status| status < 300);
            request.verb.writes() && request.resource != "events" && changed
        });
        changed.count()
    }

    /// The UID of a resource.
    pub async fn uid(&self, name: &str) -> Result<String> {
        Ok(self.resources.get(name).await?.uid().unwrap_or_default())
    }

    /// An owner reference that names a resource as controller.
    pub async fn reference(&self, name: &str) -> Result<Value> {
        Ok(json!([{
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "name": name, "uid": self.uid(name).await?, "controller": true,
        }]))
    }

    /// The reasons of the events about a resource.
    pub async fn event_reasons(&self, name: &str) -> Result<Vec<String>> {
        let events: Api<k8s_openapi::api::events::v1::Event> =
            Api::namespaced(self.test_cluster.cluster().client(), &self.namespace);
        let events = events.list(&kube::api::ListParams::default()).await?;
        let about = events.items.into_iter().filter(|event| {
            let regarding = event.regarding.as_ref();
            regarding.and_then(|object| object.name.as_deref()) == Some(name)
        });
        Ok(about.filter_map(|event| event.reason).collect())
    }
}

/// Fails if these requests are more than `most_gets` reads of single objects, or not exactly `writes` writes.
pub fn assert_costs(costs: &Counts, most_gets: usize, writes: usize) {
    assert!(costs.gets <= most_gets, "{costs:?}");
    assert_eq!(costs.written(), writes, "{costs:?}");
}

/// Fails if an object was read or written. Events do not count: they are written beside the reconciles.
pub fn assert_silent(costs: &Counts) {
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");
}
