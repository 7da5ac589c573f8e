//! Every version of every Secret of a namespace, from a watch that bypasses the proxy: the content that pods
//! could have mounted at any time.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    api::ListParams,
    runtime::watcher::{self, Event, watcher},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{chaos::layouts::pairs_in, harness::actions::UID_LABEL};

const PATIENCE: Duration = Duration::from_secs(30);

/// The watch and what it has delivered.
pub struct TargetHistory {
    secrets: Api<Secret>,
    seen: watch::Sender<Seen>,
    watching: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    begun: bool,
    versions: Vec<Secret>,
    gone: Vec<Secret>,
}

impl TargetHistory {
    /// Watches from now on.
    pub async fn of(client: Client, namespace: &str) -> Result<Self> {
        let secrets: Api<Secret> = Api::namespaced(client, namespace);
        let seen = watch::Sender::default();
        let watching = tokio::spawn(follow(secrets.clone(), seen.clone()));
        let target_history = Self {
            secrets,
            seen,
            watching,
        };
        let mut seen = target_history.seen.subscribe();
        let begun = seen.wait_for(|seen| seen.begun);
        tokio::time::timeout(PATIENCE, begun).await??;
        Ok(target_history)
    }

    /// Fails if a target ever held a pair that is not in `proven`. Returns the names of the deleted
    /// targets, in the order of their deletion.
    pub async fn check(&self, proven: &[(&str, &str)]) -> Result<Vec<String>> {
        self.caught_up().await?;
        let seen = self.seen.borrow();
        let targets = seen.versions.iter().filter(|secret| is_target(secret));
        for secret in targets {
            for pair in pairs_in(secret) {
                let is_proven = proven.iter().any(|(id, key)| (*id, *key) == pair_of(&pair));
                let version = secret.resource_version();
                let name = secret.name_any();
                ensure!(is_proven, "{name} held {pair:?} at version {version:?}");
            }
        }
        let gone = seen.gone.iter().filter(|secret| is_target(secret));
        Ok(gone.map(ResourceExt::name_any).collect())
    }

    async fn caught_up(&self) -> Result<()> {
        for present in self.secrets.list(&ListParams::default()).await? {
            let version = present.resource_version();
            let mut seen = self.seen.subscribe();
            let caught_up = seen.wait_for(|seen| {
                let mut versions = seen.versions.iter();
                versions.any(|secret| secret.resource_version() == version)
            });
            let caught_up = tokio::time::timeout(PATIENCE, caught_up).await;
            let name = present.name_any();
            caught_up.with_context(|| format!("version {version:?} of {name} was not seen"))??;
        }
        Ok(())
    }
}

impl Drop for TargetHistory {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn is_target(secret: &Secret) -> bool {
    secret.labels().contains_key(UID_LABEL)
}

fn pair_of((id, key): &(String, String)) -> (&str, &str) {
    (id, key)
}

async fn follow(secrets: Api<Secret>, seen: watch::Sender<Seen>) {
    let mut events = std::pin::pin!(watcher(secrets, watcher::Config::default()));
    while let Some(event) = events.next().await {
        seen.send_modify(|seen| match event {
            Ok(Event::Apply(secret) | Event::InitApply(secret)) => seen.versions.push(secret),
            Ok(Event::Delete(secret)) => seen.gone.push(secret),
            Ok(Event::InitDone) => seen.begun = true,
            Ok(Event::Init) | Err(_) => {}
        });
    }
}
