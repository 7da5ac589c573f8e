//! Operations of tests on etcd: compaction, and the restore of an earlier state.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use serde_json::{Value, json};

use super::{ControlPlane, DEADLINE};
use crate::{
    http_client::{HttpClient, http_client},
    tools::{self, Tool},
};

/// What happens to the versions that clients have seen since the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// They are assigned again, and the history is kept: a watch from one of them delivers nothing until the store
    /// has caught up.
    AsItWas,
    /// The store continues far beyond them and counts all of them as compacted, so every watch ends. etcd's
    /// documentation recommends this for Kubernetes. Objects keep their old versions.
    Bumped,
}

/// A client of etcd that bypasses the API server.
#[derive(Clone)]
pub struct Store {
    client: HttpClient,
    url: String,
}

impl Store {
    /// The bytes of an object by its key below `/registry/`, such as `secrets/NAMESPACE/NAME`.
    ///
    /// # Errors
    /// When etcd has no such object or does not answer.
    pub async fn object(&self, place: &str) -> Result<Vec<u8>> {
        let range = self.ask("kv/range", &json!({ "key": key(place) })).await?;
        let value = range["kvs"][0]["value"].as_str();
        let value = value.with_context(|| format!("etcd has no {place}"))?;
        Ok(STANDARD.decode(value)?)
    }

    /// Replaces these bytes. To the API server it is a write by another API server.
    ///
    /// # Errors
    /// When etcd refuses.
    pub async fn replace(&self, place: &str, object: &[u8]) -> Result<()> {
        let put = json!({ "key": key(place), "value": STANDARD.encode(object) });
        self.ask("kv/put", &put).await.map(drop)
    }

    async fn ask(&self, what: &str, question: &Value) -> Result<Value> {
        Ok(serde_json::from_slice(&self.answer(what, question).await?)?)
    }

    async fn answer(&self, what: &str, question: &Value) -> Result<Bytes> {
        let request = Request::post(format!("{}/v3/{what}", self.url))
            .body(Full::new(Bytes::from(question.to_string())))?;
        let answer = self.client.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let words = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "etcd answers {what}: {status} {words}");
        Ok(body)
    }
}

fn key(place: &str) -> String {
    STANDARD.encode(format!("/registry/{place}"))
}

impl ControlPlane {
    /// A client of etcd.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn store(&self) -> Result<Store> {
        Ok(Store {
            client: http_client("")?,
            url: self.plan.etcd_url(),
        })
    }

    /// Compacts everything in etcd that was overwritten so far, and returns the revision.
    ///
    /// # Errors
    /// When etcd refuses.
    pub async fn compact(&self) -> Result<u64> {
        let revision = self.revision().await?;
        let compaction = json!({ "revision": revision.to_string(), "physical": true });
        self.store()?.ask("kv/compaction", &compaction).await?;
        Ok(revision)
    }

    /// The store's revision: the version of the newest change.
    ///
    /// # Errors
    /// When etcd does not answer.
    pub async fn revision(&self) -> Result<u64> {
        // Any key will do: the header of the answer has the revision.
        let range = self
            .store()?
            .ask("kv/range", &json!({ "key": "AA==" }))
            .await?;
        let revision = range["header"]["revision"].as_str();
        let revision = revision.with_context(|| format!("no revision in {range}"))?;
        Ok(revision.parse()?)
    }

    /// Waits until etcd answers.
    pub(super) async fn etcd_answers(&self) -> Result<()> {
        let end = Instant::now() + DEADLINE;
        loop {
            self.etcd().check()?;
            let Err(error) = self.revision().await else {
                return Ok(());
            };
            ensure!(Instant::now() < end, "etcd does not answer: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets etcd write a snapshot to a file, as `etcdctl snapshot save` does, without a stop. It does no harm that
    /// etcd does not sync its files here: a snapshot is read from its memory.
    ///
    /// # Errors
    /// When etcd refuses or the file cannot be written.
    pub async fn save_snapshot(&self, file: &Path) -> Result<()> {
        let store = self.store()?;
        let parts = store.answer("maintenance/snapshot", &json!({})).await?;
        let mut snapshot = Vec::new();
        for part in serde_json::Deserializer::from_slice(&parts).into_iter::<Value>() {
            let part = part?;
            let blob = part["result"]["blob"].as_str();
            let blob = blob.with_context(|| format!("etcd's snapshot broke off: {part}"))?;
            snapshot.extend(STANDARD.decode(blob)?);
        }
        Ok(std::fs::write(file, snapshot)?)
    }

    /// Restores a snapshot with etcd's own tool. The API server and etcd are stopped meanwhile.
    ///
    /// # Errors
    /// When they cannot be stopped or started, or the tool fails.
    pub async fn restore_snapshot(&self, file: &Path, restored: Restored) -> Result<()> {
        let etcdutl = tokio::task::spawn_blocking(|| tools::find(Tool::Etcdutl)).await??;
        self.api_server().kill().await?;
        self.etcd().stop().await?;
        std::fs::remove_dir_all(self.plan.etcd_data())?;
        let mut command = Command::new(etcdutl);
        command.args(["snapshot", "restore"]).arg(file);
        command.args(self.plan.etcd_member());
        if restored == Restored::Bumped {
            command.args(["--bump-revision=1000000000", "--mark-compacted"]);
        }
        let output = command.output()?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "etcdutl: {words}");
        self.etcd().start()?;
        self.etcd_answers().await?;
        self.api_server().start()?;
        self.ready().await
    }
}
