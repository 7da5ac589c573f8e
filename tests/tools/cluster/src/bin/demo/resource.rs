//! The status of the resource.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::{ResourceExt, api::DynamicObject, runtime::wait::await_condition};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    demo_cluster::DemoCluster,
    manifests::{RESOURCE, SOURCE},
};

/// The operator asks STS repeatedly for a minute about a key that STS does not know.
const SETTLING: Duration = Duration::from_secs(100);
/// Transient conditions have ended by then, or the demo reports them.
const PASSING: Duration = Duration::from_secs(30);

/// The resource at one moment.
pub(crate) struct Seen(DynamicObject);

impl Seen {
    /// Waits until the operator has finished with the present source: Ready, or a person must act, or it has
    /// waited too long.
    pub(crate) async fn until_settled(demo_cluster: &DemoCluster) -> Result<Self> {
        let source = demo_cluster.objects::<Secret>().get(SOURCE).await?;
        let version = source.resource_version().context("no version")?;
        let current = |object: &DynamicObject| {
            object.data["status"]["source"]["resourceVersion"].as_str() == Some(&version)
        };
        let settled = |object: Option<&DynamicObject>| {
            let mut object = object.filter(|object| current(object)).into_iter();
            object.any(|object| is_true(object, "Ready") || is_true(object, "Stalled"))
        };
        let passed = timeout(PASSING, Self::until(demo_cluster, &settled)).await;
        if let Ok(seen) = passed {
            return seen;
        }
        let seen = Self::now(demo_cluster).await?;
        if condition(&seen.0, "Ready").is_some_and(|ready| ready["reason"] == "Settling") {
            let settling = Self::until(demo_cluster, &settled);
            return timeout(SETTLING, settling)
                .await
                .context("it settles too long")?;
        }
        Ok(seen)
    }

    async fn until(
        demo_cluster: &DemoCluster,
        holds: &(impl Fn(Option<&DynamicObject>) -> bool + Sync),
    ) -> Result<Self> {
        let seen = await_condition(demo_cluster.resources(), RESOURCE, holds).await?;
        seen.map(Self).context("the resource is gone")
    }

    /// The resource as it is now.
    pub(crate) async fn now(demo_cluster: &DemoCluster) -> Result<Self> {
        Ok(Self(demo_cluster.resources().get(RESOURCE).await?))
    }

    /// Fails unless it is ready and `revision` pairs were published.
    pub(crate) fn expect_ready(&self, revision: i64) -> Result<()> {
        if !is_true(&self.0, "Ready") {
            let (reason, message) = self.why();
            bail!("the resource is not ready: {reason}: {message}");
        }
        let published = &self.0.data["status"]["published"]["revision"];
        ensure!(
            published.as_i64() == Some(revision),
            "{published} pairs were published, not {revision}"
        );
        Ok(())
    }

    /// Whether it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        is_true(&self.0, "Ready")
    }

    /// Reason and message of Ready.
    pub(crate) fn why(&self) -> (&str, &str) {
        let ready = condition(&self.0, "Ready");
        let text = |key| ready.and_then(|ready| ready[key].as_str()).unwrap_or("?");
        (text("reason"), text("message"))
    }

    /// Account and ARN.
    pub(crate) fn identity(&self) -> Option<(&str, &str)> {
        let identity = &self.0.data["status"]["identity"];
        identity["accountId"].as_str().zip(identity["arn"].as_str())
    }

    /// The last characters of the published key's ID.
    pub(crate) fn key(&self) -> &str {
        let published = &self.0.data["status"]["published"];
        published["keyIdSuffix"].as_str().unwrap_or("?")
    }
}

fn condition<'a>(object: &'a DynamicObject, kind: &str) -> Option<&'a Value> {
    let conditions = object.data["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == kind)
}

fn is_true(object: &DynamicObject, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}
