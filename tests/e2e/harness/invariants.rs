//! Invariants of every environment: no status contradicts itself, and key material appears only in sources and targets.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    child_process::log_tail,
    leak_check::{Canaries, SHORTEST},
};
use futures::{FutureExt, StreamExt, future::LocalBoxFuture};
use k8s_openapi::api::core::v1::Event;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::watcher::{self, watcher},
};
use serde_json::json;
use static_aws_credentials::api::StaticAwsCredentials;
use tokio::{sync::watch, task::JoinHandle};

use crate::harness::test_env::{Test, TestCluster, TestEnv};

const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: usize = 64;

tokio::task_local! {
    static INVARIANTS: RefCell<Vec<Arc<Invariants>>>;
}

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![(
        "a21_a_value_that_comes_out_in_any_form_is_noticed",
        |test_cluster| noticed(test_cluster).boxed_local(),
    )]
}

async fn noticed(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::before_start(test_cluster).await?;
    let value = b"w>Secret?Of/Nobody~";
    let leaks = [
        "dz5TZWNyZXQ/T2YvTm9ib2R5fg",
        "eHc+U2VjcmV0P09mL05vYm9keX54",
        "eHh3PlNlY3JldD9PZi9Ob2JvZHl+",
        "773e5365637265743f4f662f4e6f626f64797e",
        "w%3ESecret%3FOf%2FNobody~",
        "w>Secret?Of/Nobody~",
    ];
    for (number, leak) in leaks.into_iter().enumerate() {
        let name = format!("orders-{number}");
        let invariants = Invariants::new(env.test_cluster.cluster().client(), &env.namespace);
        invariants.secret(value);
        env.resource(&name, "pair", json!({})).await?;
        invariants.check().await?;
        let patch = json!({ "metadata": { "annotations": { "leak": leak } } });
        let patch = Patch::Merge(patch);
        let unnoticed = Invariants::new(env.test_cluster.cluster().client(), &env.namespace);
        unnoticed.secret(value);
        env.resources
            .patch(&name, &PatchParams::default(), &patch)
            .await?;
        let result = unnoticed.check().await;
        ensure!(result.is_err(), "{leak} was not noticed");
        env.resources
            .delete(&name, &DeleteParams::default())
            .await?;
    }
    Ok(())
}

/// Runs a test, and then checks the invariants of each environment of the test.
pub async fn checked(test: LocalBoxFuture<'static, Result<()>>) -> Result<()> {
    let checked_test = async {
        test.await?;
        for invariants in INVARIANTS.with(RefCell::take) {
            invariants.check().await?;
        }
        Ok(())
    };
    INVARIANTS.scope(RefCell::default(), checked_test).await
}

/// Records the statuses, events, logs and responses of one environment.
pub struct Invariants {
    client: Client,
    namespace: String,
    seen: watch::Sender<Vec<StaticAwsCredentials>>,
    watching: JoinHandle<()>,
    observed: Mutex<Observed>,
}

#[derive(Default)]
struct Observed {
    secrets: Vec<Vec<u8>>,
    texts: Vec<(String, String)>,
    logs: Vec<PathBuf>,
}

impl Invariants {
    /// Watches a namespace from now on until the end of the test, which fails if an invariant was violated.
    pub fn of(client: Client, namespace: &str) -> Arc<Self> {
        let invariants = Arc::new(Self::new(client, namespace));
        // Outside of a test, there is no list.
        let _ = INVARIANTS.try_with(|all| all.borrow_mut().push(Arc::clone(&invariants)));
        invariants
    }

    fn new(client: Client, namespace: &str) -> Self {
        let seen = watch::Sender::default();
        Self {
            watching: tokio::spawn(follow(client.clone(), namespace.to_owned(), seen.clone())),
            client,
            namespace: namespace.to_owned(),
            seen,
            observed: Mutex::default(),
        }
    }

    /// A value that must not leak.
    pub fn secret(&self, value: &[u8]) {
        let value = &value[..value.len().min(LONGEST)];
        if value.len() >= SHORTEST {
            self.observed().secrets.push(value.to_vec());
        }
    }

    /// A file that the operator logs to.
    pub fn log(&self, path: PathBuf) {
        self.observed().logs.push(path);
    }

    /// The ends of the logs of all processes of the operator.
    pub fn log_tails(&self) -> String {
        let logs = self.observed().logs.clone();
        let tail = |log: &PathBuf| log_tail(log).unwrap_or_else(|error| error.to_string());
        logs.iter().map(tail).collect::<Vec<_>>().join("\n")
    }

    /// Records the current responses on the operator's own port.
    pub fn scrape(&self, address: &str) {
        let ask = |path: &str| -> std::io::Result<String> {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n"
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        for path in ["/metrics", "/readyz", "/livez"] {
            if let Ok(answer) = ask(path) {
                self.observed().texts.push((path.to_owned(), answer));
            }
        }
    }

    /// Every version of a resource, after the current one was delivered.
    pub async fn history(&self, name: &str) -> Result<Vec<StaticAwsCredentials>> {
        let resources: Api<StaticAwsCredentials> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let Some(present) = resources.get_opt(name).await? else {
            bail!("there is no {name}");
        };
        let version = present.resource_version().into_iter();
        self.until_seen(version.collect()).await?;
        let all = self.seen.borrow().clone();
        Ok(all
            .into_iter()
            .filter(|one| one.name_any() == name)
            .collect())
    }

    /// All versions at once: there may be 10,000.
    async fn until_seen(&self, versions: BTreeSet<String>) -> Result<()> {
        let mut seen = self.seen.subscribe();
        let seen = seen.wait_for(|all| {
            let known: BTreeSet<String> = all
                .iter()
                .filter_map(ResourceExt::resource_version)
                .collect();
            versions.is_subset(&known)
        });
        let waited = tokio::time::timeout(PATIENCE, seen).await;
        let first = versions.first();
        waited.with_context(|| {
            format!(
                "not all of {} versions from {first:?} were seen",
                versions.len()
            )
        })??;
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        let resources: Api<StaticAwsCredentials> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let present = resources.list(&ListParams::default()).await?;
        let versions = present.into_iter().filter_map(|one| one.resource_version());
        self.until_seen(versions.collect()).await?;
        self.watching.abort();
        let mut texts = Vec::new();
        for version in self.seen.borrow().iter() {
            conditions_agree(version)?;
            let what = format!("{} {:?}", version.name_any(), version.resource_version());
            texts.push((what, serde_json::to_string(version)?));
        }
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        for event in events.list(&ListParams::default()).await? {
            texts.push(("an event".to_owned(), serde_json::to_string(&event)?));
        }
        let observed = self.observed();
        for log in &observed.logs {
            let text = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
            texts.push((log.display().to_string(), text));
        }
        let canaries = Canaries::of(&observed.secrets)?;
        let mut texts = texts.iter().chain(&observed.texts);
        texts.try_for_each(|(what, text)| canaries.unshown(what, text))
    }

    fn observed(&self) -> MutexGuard<'_, Observed> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each failure starts a new list: etcd may have been restored, and a watch from a later version gets no events.
async fn follow(client: Client, namespace: String, seen: watch::Sender<Vec<StaticAwsCredentials>>) {
    let resources: Api<StaticAwsCredentials> = Api::namespaced(client, &namespace);
    loop {
        let events = watcher(resources.clone(), watcher::Config::default());
        let mut events = std::pin::pin!(events);
        while let Some(Ok(event)) = events.next().await {
            if let watcher::Event::Apply(object) | watcher::Event::InitApply(object) = event {
                seen.send_modify(|all| all.push(object));
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// At most one of Ready=True, Reconciling and Stalled, and no type of condition twice.
fn conditions_agree(object: &StaticAwsCredentials) -> Result<()> {
    let Some(status) = &object.status else {
        return Ok(());
    };
    let conditions = &status.conditions;
    let active = conditions.iter().filter(|condition| {
        matches!(
            condition.type_.as_str(),
            "Ready" | "Reconciling" | "Stalled"
        ) && condition.status == "True"
    });
    let types: BTreeSet<&str> = conditions
        .iter()
        .map(|condition| condition.type_.as_str())
        .collect();
    ensure!(
        active.count() <= 1 && types.len() == conditions.len(),
        "{conditions:#?}"
    );
    Ok(())
}
