//! Twenty Deployments whose containers read the key at start are restarted after a rotation, three at once, while one
//! of them cannot become healthy.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{control_plane::ControlPlane, moto::KeyPair};
use serde_json::Value;

use super::{Fixture, PATIENCE, reads_with, request};

const COUNT: usize = 20;
const AT_ONCE: usize = 3;
/// Its new pod needs the host port of the old pod, which is only removed once the new one is ready.
const STUCK: &str = "app-07";
/// The stuck Deployment is in the third wave: three times three are restarted, and no more.
const BEGUN: usize = 9;
/// Time until all are restarted after the stuck one is repaired: 5 waves, with growing intervals between the checks.
const MENDED: Duration = Duration::from_mins(10);
const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers:
      - name: s3client
        image: injection.test/s3client:1
        imagePullPolicy: Never
        securityContext: {runAsUser: 65532}
        envFrom:
        - secretRef: {name: orders-credentials}
        env:
        - {name: BUCKET, value: orders}
        - {name: INTERVAL, value: 5s}
        - {name: AWS_ENDPOINT_URL, value: <S3>}
        ports: [PORTS]
---
";
const WANTED: &str = r#"{"spec":{"rotation":{"restart":{"scope":"Consumers","maxConcurrent":3}}}}"#;

/// State of all Deployments at one time.
#[derive(Debug, Default)]
struct Snapshot {
    /// Deployments that were restarted.
    restarted: Vec<String>,
    /// Restarted Deployments with a rollout in progress.
    under_way: usize,
    /// Deployments without an available pod.
    down: Vec<String>,
    /// The generation of each Deployment.
    changes: BTreeMap<String, i64>,
}

struct Fleet<'a> {
    cluster: &'a ControlPlane,
    namespace: String,
}

/// Returns the pairs of the test.
pub async fn three_at_once_and_no_more_while_one_is_unhealthy(
    fixture: &Fixture,
) -> Result<[KeyPair; 2]> {
    let (cluster, node) = (&fixture.cluster, &fixture.node);
    let namespace = cluster.namespace("fleet").await?;
    let fleet = Fleet { cluster, namespace };
    let first = fixture.user("fleet").await?;
    request(cluster, &fleet.namespace, &first).await?;
    fleet
        .kubectl(&["patch", "awscreds", "orders", "--type=merge", "-p", WANTED])
        .await?;
    fleet.deploy(&fixture.endpoint).await?;
    let second = fixture.moto.create_access_key("fleet").await?;
    request(cluster, &fleet.namespace, &second).await?;
    fleet.holds_while_one_is_stuck().await?;
    fleet.goes_on_once_it_is_mended().await?;
    for pod in fleet.pods().await? {
        reads_with(node, &fleet.namespace, &pod, &second).await?;
    }
    Ok([first, second])
}

impl Fleet<'_> {
    async fn kubectl(&self, args: &[&str]) -> Result<String> {
        let args = [&["-n", &self.namespace], args].concat();
        self.cluster.kubectl(&args).await
    }

    async fn deploy(&self, endpoint: &str) -> Result<()> {
        let one = |number: usize| {
            let name = format!("app-{number:02}");
            let port = "{containerPort: 9443, hostPort: 9443}";
            let ports = if name == STUCK { port } else { "" };
            DEPLOYMENT
                .replace("NAMESPACE", &self.namespace)
                .replace("NAME", &name)
                .replace("PORTS", ports)
                .replace("<S3>", endpoint)
        };
        let all: String = (0..COUNT).map(one).collect();
        self.cluster.apply(&all).await?;
        let wait = ["wait", "deployment", "--all", "--for=condition=Available"];
        self.kubectl(&[&wait[..], &["--timeout=300s"]].concat())
            .await?;
        Ok(())
    }

    async fn holds_while_one_is_stuck(&self) -> Result<()> {
        let begun = |snapshot: &Snapshot| snapshot.restarted.len() == BEGUN;
        self.until("the third wave", begun).await?;
        let left = |snapshot: &Snapshot| snapshot.under_way == 1;
        let stuck = self.until("one is left", left).await?;
        ensure!(begun(&stuck), "{stuck:?}");
        for _ in 0..30 {
            let snapshot = self.snapshot().await?;
            ensure!(begun(&snapshot) && snapshot.down.is_empty(), "{snapshot:?}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let status = self.status().await?;
        let names = serde_json::json!([format!("Deployment/{STUCK}")]);
        ensure!(status["restarts"]["restarting"] == names, "{status}");
        Ok(())
    }

    async fn goes_on_once_it_is_mended(&self) -> Result<()> {
        // From now on the old pod is removed first.
        let mended = r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#;
        self.kubectl(&["patch", "deployment", STUCK, "--type=merge", "-p", mended])
            .await?;
        self.until_all_are_restarted().await?;
        let last = self.snapshot().await?;
        ensure!(last.restarted.len() == COUNT, "{last:?}");
        for (name, changes) in &last.changes {
            let expected = if name == STUCK { 3 } else { 2 };
            ensure!(*changes == expected, "{name} was changed {changes} times");
        }
        Ok(())
    }

    async fn until_all_are_restarted(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let status = self.status().await?;
            let conditions = status["conditions"].as_array().context("no conditions")?;
            let restarted = conditions.iter().any(|condition| {
                condition["type"] == "ConsumersRestarted" && condition["status"] == "True"
            });
            if restarted {
                return Ok(());
            }
            if began.elapsed() > MENDED {
                let (snapshot, pods) = (
                    self.snapshot().await?,
                    self.kubectl(&["get", "pods"]).await?,
                );
                anyhow::bail!("not all restarted: {snapshot:?}\n{status:#}\n{pods}");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn objects(&self, kind: &str) -> Result<Vec<Value>> {
        let text = self.kubectl(&["get", kind, "-o", "json"]).await?;
        let list: Value = serde_json::from_str(&text)?;
        let items = list["items"].as_array().context("no items")?;
        Ok(items.clone())
    }

    async fn status(&self) -> Result<Value> {
        let resources = self.objects("awscreds").await?;
        let first = resources.into_iter().next().context("no resource")?;
        Ok(first["status"].clone())
    }

    async fn pods(&self) -> Result<Vec<String>> {
        let pods = self.objects("pods").await?;
        let live = pods
            .iter()
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let name = |pod: &Value| pod["metadata"]["name"].as_str().map(str::to_owned);
        live.map(|pod| name(pod).context("no name")).collect()
    }

    async fn snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for object in self.objects("deployments").await? {
            let name = object["metadata"]["name"].as_str().context("no name")?;
            let notes = object["spec"]["template"]["metadata"]["annotations"].as_object();
            let mut notes = notes.into_iter().flatten();
            let (generation, status) = (&object["metadata"]["generation"], &object["status"]);
            if notes.any(|(key, _)| key.starts_with("restart.awscredentials.dev/")) {
                snapshot.restarted.push(name.to_owned());
                let over = status["observedGeneration"] == *generation
                    && status["updatedReplicas"] == 1
                    && status["availableReplicas"] == 1
                    && status["replicas"] == 1;
                snapshot.under_way += usize::from(!over);
            }
            if status["availableReplicas"].as_i64().unwrap_or_default() < 1 {
                snapshot.down.push(name.to_owned());
            }
            let changes = generation.as_i64().unwrap_or_default();
            snapshot.changes.insert(name.to_owned(), changes);
        }
        Ok(snapshot)
    }

    /// Polls until the condition holds; no Deployment may be down meanwhile, and no more than three in progress.
    async fn until(&self, what: &str, reached: impl Fn(&Snapshot) -> bool) -> Result<Snapshot> {
        let began = Instant::now();
        loop {
            let snapshot = self.snapshot().await?;
            ensure!(
                snapshot.under_way <= AT_ONCE,
                "too many at once: {snapshot:?}"
            );
            ensure!(snapshot.down.is_empty(), "taken down: {snapshot:?}");
            if reached(&snapshot) {
                return Ok(snapshot);
            }
            if began.elapsed() > 2 * PATIENCE {
                anyhow::bail!("not {what}: {snapshot:?}\n{:#}", self.status().await?);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
