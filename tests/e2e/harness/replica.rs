//! Several processes of the operator in one environment, each behind a separate proxy.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::{
    child_process::ChildProcess,
    ports::unused_address,
    proxy::{Proxy, Recorded, Verb},
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use rustix::process::Signal;
use serde_json::json;

use crate::harness::{
    actions::TARGET,
    test_env::{PAIR, SECOND, TestCluster, TestEnv, get_http},
};

/// The lease's usual name.
pub const LEASE: &str = "static-aws-credentials";

/// One process of several, and its proxy.
pub struct Replica {
    pub proxy: Proxy,
    pub bind: String,
    pub process: ChildProcess,
}

impl Replica {
    /// A replica that takes part in leader election.
    pub async fn start(env: &TestEnv) -> Result<Self> {
        let namespace = env.namespace.as_str();
        let flags = ["--leader-election", "--lease-namespace", namespace];
        Self::start_with(env, &flags, &[]).await
    }

    pub async fn start_with(
        env: &TestEnv,
        flags: &[&str],
        environment: &[(String, String)],
    ) -> Result<Self> {
        let cluster = env.test_cluster.cluster();
        let proxy = env.test_cluster.proxy().await?;
        let kubeconfig = cluster
            .service_account_kubeconfig(&env.namespace, "operator", Some(&proxy.url()))
            .await?;
        let bind = unused_address()?;
        let flags = [&["--namespace", &env.namespace], flags].concat();
        let flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
        let process = env.replica_in(&kubeconfig, &bind, &flags, environment)?;
        let replica = Self {
            proxy,
            bind,
            process,
        };
        env.until("a replica is ready", async || {
            let answer = get_http(&replica.bind, "/readyz").await;
            let ready = answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"));
            Ok(ready.then_some(()))
        })
        .await?;
        Ok(replica)
    }

    /// Whether the replica leads, by its metrics.
    pub async fn leads(&self) -> Result<bool> {
        let metrics = get_http(&self.bind, "/metrics").await?;
        Ok(metrics.contains(&format!(
            "leader_election_master_status{{name=\"{LEASE}\"}} 1"
        )))
    }

    pub async fn until_it_leads(&self, env: &TestEnv, leads: bool) -> Result<()> {
        let what = format!("a replica {} lead", if leads { "does" } else { "does not" });
        let check = async || Ok((self.leads().await? == leads).then_some(()));
        env.until(&what, check).await
    }

    /// Adds the operator's own log lines to an error.
    pub fn explained<T>(&self, result: Result<T>) -> Result<T> {
        result.with_context(|| {
            let log = std::fs::read_to_string(self.process.log()).unwrap_or_default();
            let own = log
                .lines()
                .filter(|line| line.contains("static_aws_credentials"));
            own.collect::<Vec<_>>().join("\n")
        })
    }

    /// Requests since a mark, except those for the lease and watches.
    pub fn work(&self, mark: usize) -> Vec<Recorded> {
        let requests = self.proxy.since(mark).into_iter();
        requests
            .filter(|request| request.resource != "leases" && request.verb != Verb::Watch)
            .collect()
    }

    /// The exit code after a signal.
    pub fn stopped(&self, signal: Signal) -> Option<i32> {
        self.process.signal(signal);
        assert!(self.process.wait(Duration::from_secs(20)));
        self.process.exit_code()
    }
}

/// Two replicas and a published pair. The first replica leads.
pub async fn pair_of_replicas(
    test_cluster: Arc<TestCluster>,
) -> Result<(TestEnv, Replica, Replica)> {
    let env = TestEnv::before_start(test_cluster).await?;
    let leader = Replica::start(&env).await?;
    leader.until_it_leads(&env, true).await?;
    let standby = Replica::start(&env).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_ready("orders").await?;
    Ok((env, leader, standby))
}

pub fn leases(env: &TestEnv) -> Api<Lease> {
    Api::namespaced(env.test_cluster.cluster().client(), &env.namespace)
}

pub async fn holder(env: &TestEnv) -> Result<Option<String>> {
    let lease = leases(env).get(LEASE).await?;
    Ok(lease.spec.and_then(|spec| spec.holder_identity))
}

/// Checks that `orders` has published the second pair.
pub async fn rotated(env: &TestEnv) -> Result<()> {
    let published = env.until_ready("orders").await?;
    let published = published.status.context("a status")?.published;
    assert_eq!(published.context("published")?.revision, 2);
    let content = env.content(TARGET).await?;
    assert_eq!(content["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}
