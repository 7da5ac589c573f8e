//! Steps that many tests of the source and of AWS share.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::sts::Answer;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;

pub use crate::harness::actions::TARGET;
use crate::harness::test_env::{ACCOUNT, ARN, PAIR, TestCluster, TestEnv, condition, observes};

/// A rejection is cached slightly shorter than this, so that resources with the same pair share one call.
pub const REJECTION_CACHED: Duration = Duration::from_secs(2);

/// A further pair of the user of `PAIR`, for numbers below 20,000.
pub fn numbered(number: usize) -> (String, String) {
    const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digit = |place: u32| char::from(BASE32[number / 32_usize.pow(place) % 32]);
    let end = String::from_iter([2, 1, 0].map(digit));
    let id = format!("AKIARZPUZDIKQUAIL{end}");
    (id, format!("wSecretOfANumberedPair{number:018}"))
}

impl TestEnv {
    /// An environment in which `orders` has published `PAIR` from the Secret `pair`, and the operator is idle. Unlike
    /// [`Self::settled_with`], the target is not compared with the status.
    pub async fn open_published(test_cluster: Arc<TestCluster>, spec: Value) -> Result<Self> {
        let env = Self::open(test_cluster).await?;
        env.source("pair", PAIR).await?;
        env.resource("orders", "pair", spec).await?;
        env.until_ready("orders").await?;
        env.until_idle().await?;
        Ok(env)
    }

    /// From now on AWS accepts a pair, as one of the user of `PAIR`.
    pub fn accept(&self, pair: (&str, &str)) {
        self.sts
            .accept_pair(pair.0, pair.1, ACCOUNT, ARN, "AIDAQUAIL");
    }

    /// From now on AWS accepts a pair that it rejected a moment ago.
    pub async fn accept_again(&self, pair: (&str, &str)) {
        tokio::time::sleep(REJECTION_CACHED).await;
        self.accept(pair);
    }

    /// From now on AWS does not know a key.
    pub fn forget(&self, pair: (&str, &str)) {
        self.sts.answer(pair.0, Answer::unknown_key());
    }

    /// Changes only an annotation of a Secret.
    pub async fn touch(&self, name: &str) -> Result<()> {
        let version = self.secrets.get(name).await?.resource_version();
        let patch = json!({ "metadata": { "annotations": { "touched-at": version } } });
        self.secrets
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    /// Changes one value of a Secret and nothing else.
    pub async fn edit(&self, name: &str, key: &str, value: &str) -> Result<()> {
        let patch = json!({ "stringData": { key: value } });
        self.secrets
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    /// Waits for Stalled, which excludes Ready and Reconciling.
    pub async fn until_stalled(&self, name: &str, reason: &str) -> Result<StaticAwsCredentials> {
        self.until_status(name, "Stalled", "True", reason).await
    }

    /// Waits for Reconciling, which excludes Ready and Stalled.
    pub async fn until_reconciling(
        &self,
        name: &str,
        reason: &str,
    ) -> Result<StaticAwsCredentials> {
        self.until_status(name, "Reconciling", "True", reason).await
    }

    /// Waits until the status is about the current generation and source, with any conditions.
    pub async fn until_observed(&self, name: &str) -> Result<StaticAwsCredentials> {
        self.until("the status is about the current source", async || {
            let object = self.resources.get(name).await?;
            let source = self.secrets.get_opt(&object.spec.secret_ref.name).await?;
            Ok(observes(&object, source.as_ref()).then_some(object))
        })
        .await
    }

    /// Waits until a published pair is in doubt, and checks that it stays Ready.
    pub async fn until_doubted(&self, name: &str, reason: &str) -> Result<StaticAwsCredentials> {
        let object = self
            .until_status(name, "Verified", "Unknown", reason)
            .await?;
        assert_holds(&object, "Ready", "True", "Published");
        Ok(object)
    }

    /// The Secret with its resource version: if two are equal, it was not written in between.
    pub async fn snapshot(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.secrets.get_opt(name).await?)
    }

    /// The access key ID in a target with the layout Env.
    pub async fn key_id(&self, target: &str) -> Result<String> {
        let content = self.content(target).await?;
        let id = content.get("AWS_ACCESS_KEY_ID").cloned();
        id.with_context(|| format!("{target} has no AWS_ACCESS_KEY_ID"))
    }
}

/// Checks the status and reason of a condition.
#[track_caller]
pub fn assert_holds(object: &StaticAwsCredentials, kind: &str, status: &str, reason: &str) {
    let expected = Some((status.to_owned(), reason.to_owned()));
    assert_eq!(condition(object, kind), expected, "{kind} of {object:#?}");
}

/// Checks that the resource is not Ready, and that its target holds the last verified pair.
#[track_caller]
pub fn assert_serves_last_known_good(object: &StaticAwsCredentials) {
    assert_eq!(
        condition(object, "Ready")
            .map(|(status, _)| status)
            .as_deref(),
        Some("False")
    );
    assert_holds(object, "Published", "True", "ServingLastKnownGood");
}
