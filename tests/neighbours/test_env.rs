//! A control plane with the chart, and a namespace with a neighbour and one of our operators.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use cluster::{
    child_process::{ChildProcess, log_tail},
    control_plane::{ControlPlane, Options},
};
use k8s_openapi::jiff::Timestamp;

use crate::{
    audit::{Write, writes},
    helm,
    operator::Operator,
    program,
    table::{Cell, Row},
};

const RELEASE: &str = "neighbours";
/// The operator's account in the chart.
const ACCOUNT: &str = "static-aws-credentials";
/// Time in which two operators finish their writes after a change.
const REST: Duration = Duration::from_secs(30);
/// Time after that in which no further write may occur.
const WATCHED: Duration = Duration::from_secs(20);

/// State shared by all tests.
pub struct TestCluster {
    helm: helm::TestCluster,
    home: String,
    neighbours: tokio::sync::Mutex<HashMap<&'static str, Arc<Neighbour>>>,
    rows: Mutex<Vec<Row>>,
}

/// A program that serves the whole cluster, as the account of a namespace of its own.
pub struct Neighbour {
    pub home: String,
    pub process: ChildProcess,
}

impl TestCluster {
    pub async fn start() -> Result<Self> {
        let options = Options {
            audit: true,
            ..Options::default()
        };
        let helm = helm::TestCluster::start_with(options).await?;
        let home = helm.cluster().namespace("operator").await?;
        let account = format!("serviceAccount.name={ACCOUNT}");
        helm.install(RELEASE, &home, &["--set", &account]).await?;
        Ok(Self {
            helm,
            home,
            neighbours: tokio::sync::Mutex::default(),
            rows: Mutex::default(),
        })
    }

    pub fn cluster(&self) -> &ControlPlane {
        self.helm.cluster()
    }

    /// A neighbour, started once.
    pub async fn neighbour(
        &self,
        name: &'static str,
        start: impl AsyncFnOnce(&str) -> Result<ChildProcess>,
    ) -> Result<Arc<Neighbour>> {
        let mut started = self.neighbours.lock().await;
        if let Some(neighbour) = started.get(name) {
            return Ok(Arc::clone(neighbour));
        }
        let home = program::home(self.cluster(), name).await?;
        let process = start(&home).await?;
        let neighbour = Arc::new(Neighbour { home, process });
        started.insert(name, Arc::clone(&neighbour));
        Ok(neighbour)
    }

    /// The results so far, sorted by neighbour.
    pub fn rows(&self) -> Vec<Row> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = rows.clone();
        rows.sort_by_key(|row| row.neighbour);
        rows
    }
}

/// One of our operators, and a neighbour.
pub struct TestEnv {
    pub test_cluster: Arc<TestCluster>,
    pub namespace: String,
    pub operator: Operator,
    neighbour: Arc<Neighbour>,
    /// Other namespaces that the neighbour writes to.
    also: Vec<String>,
    row: Row,
}

impl TestEnv {
    pub async fn open(
        test_cluster: Arc<TestCluster>,
        row: &'static str,
        neighbour: Arc<Neighbour>,
        also: Vec<String>,
    ) -> Result<Self> {
        let cluster = test_cluster.cluster();
        let namespace = cluster.namespace("env").await?;
        let mut flags = Vec::new();
        for other in &also {
            flags.extend(["--namespace", other]);
        }
        // A name like those of the Deployment's pods; otherwise the policies reject the operator's writes.
        let suffix = namespace.trim_start_matches("env-");
        let pod = format!("{RELEASE}-{ACCOUNT}-{suffix}");
        let pod = (test_cluster.home.as_str(), ACCOUNT, pod.as_str());
        let operator = Operator::start(cluster, pod, &namespace, &flags).await?;
        Ok(Self {
            namespace,
            operator,
            neighbour,
            also,
            row: Row::new(row),
            test_cluster,
        })
    }

    /// Runs a step and counts the writes. Both operators must have stopped writing after 30 seconds.
    pub async fn step(
        &mut self,
        name: &'static str,
        act: impl AsyncFnOnce(&Self) -> Result<()>,
    ) -> Result<()> {
        let began = Timestamp::now();
        let what = || format!("{}: {name}", self.row.neighbour);
        act(self).await.with_context(what)?;
        tokio::time::sleep(REST).await;
        let rest = Timestamp::now();
        tokio::time::sleep(WATCHED).await;
        self.neighbour.process.check()?;
        let all = self.writes()?;
        let later: Vec<&Write> = all.iter().filter(|write| write.at > rest).collect();
        ensure!(later.is_empty(), "{}: no rest: {later:#?}", what());
        let written: Vec<&Write> = all.iter().filter(|write| write.at >= began).collect();
        let refused: Vec<&&Write> = written.iter().filter(|write| write.is_refused).collect();
        let theirs = written.iter().filter(|write| self.is_theirs(write));
        let cell = Cell {
            ours: written.iter().filter(|write| self.is_ours(write)).count(),
            theirs: theirs.count(),
        };
        eprintln!("{}: {cell:?}, refused: {refused:?}", what());
        self.row.cells.push((name, cell));
        Ok(())
    }

    /// Adds the results to the table.
    pub fn close(self) {
        let rows = self.test_cluster.rows.lock();
        let mut rows = rows.unwrap_or_else(PoisonError::into_inner);
        rows.push(self.row);
    }

    /// Waits for a result; a failure includes the neighbour's log.
    pub async fn until<T>(
        &self,
        what: &str,
        check: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<T> {
        let found = self.operator.until(what, check).await;
        found.with_context(|| log_tail(self.neighbour.process.log()).unwrap_or_default())
    }

    fn is_ours(&self, write: &Write) -> bool {
        write.user == format!("system:serviceaccount:{}:{ACCOUNT}", self.test_cluster.home)
    }

    fn is_theirs(&self, write: &Write) -> bool {
        let home = &self.neighbour.home;
        write.user == format!("system:serviceaccount:{home}:{}", program::ACCOUNT)
    }

    fn writes(&self) -> Result<Vec<Write>> {
        let log = self
            .test_cluster
            .cluster()
            .audit_log()
            .context("no audit log")?;
        let mut all = writes(log)?;
        all.retain(|write| {
            let is_here = write.namespace == self.namespace || self.also.contains(&write.namespace);
            is_here && (self.is_theirs(write) || self.is_ours(write))
        });
        Ok(all)
    }
}
