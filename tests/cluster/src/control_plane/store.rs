//! What a test does to etcd: compaction, and going back to an earlier state.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use serde_json::{Value, json};

use super::ControlPlane;
use crate::http_client::http_client;

impl ControlPlane {
    /// Makes etcd forget everything that was overwritten so far, and returns the revision.
    ///
    /// # Errors
    /// When etcd refuses.
    pub async fn compact(&self) -> Result<u64> {
        // Any key will do: the answer's head has the revision.
        let range = self.ask_etcd("kv/range", &json!({ "key": "AA==" })).await?;
        let revision = range["header"]["revision"].as_str();
        let revision = revision.with_context(|| format!("no revision in {range}"))?;
        let compaction = json!({ "revision": revision, "physical": true });
        self.ask_etcd("kv/compaction", &compaction).await?;
        Ok(revision.parse()?)
    }

    /// Copies etcd's data to `saved`. API server and etcd are stopped meanwhile.
    ///
    /// # Errors
    /// When they cannot be stopped or started, or the copy fails.
    pub async fn save_store(&self, saved: &Path) -> Result<()> {
        self.copy_store(&self.directory().join("etcd"), saved).await
    }

    /// Puts back what [`Self::save_store`] saved, so that the versions of all objects go back too.
    /// API server and etcd are stopped meanwhile.
    ///
    /// # Errors
    /// As there.
    pub async fn restore_store(&self, saved: &Path) -> Result<()> {
        self.copy_store(saved, &self.directory().join("etcd")).await
    }

    async fn copy_store(&self, from: &Path, to: &Path) -> Result<()> {
        self.api_server().kill().await?;
        self.etcd().stop().await?;
        if to.exists() {
            std::fs::remove_dir_all(to)?;
        }
        let copied = Command::new("cp").arg("-a").args([from, to]).status()?;
        ensure!(copied.success(), "cp: {copied}");
        self.etcd().start()?;
        self.api_server().start()?;
        self.ready().await
    }

    async fn ask_etcd(&self, what: &str, question: &Value) -> Result<Value> {
        let request = Request::post(format!("{}/v3/{what}", self.plan.etcd_url()))
            .body(Full::new(Bytes::from(question.to_string())))?;
        let answer = http_client("")?.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let words = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "etcd answers {what}: {status} {words}");
        Ok(serde_json::from_slice(&body)?)
    }
}
