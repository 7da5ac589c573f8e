//! Several processes of the operator in one scene, each behind a proxy of its own.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::{
    leash::Leashed,
    ports::unused_address,
    proxy::{Proxy, Recorded, Verb},
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use rustix::process::Signal;
use serde_json::json;

use crate::{
    actions::TARGET,
    scene::{PAIR, SECOND, Scene, Stage, get_http},
};

/// The lease's usual name.
pub const LEASE: &str = "static-aws-credentials";

/// One process of several, with a proxy of its own.
pub struct Replica {
    pub proxy: Proxy,
    pub bind: String,
    pub process: Leashed,
}

impl Replica {
    /// A replica that takes part in leader election.
    pub async fn start(scene: &Scene) -> Result<Self> {
        let namespace = scene.namespace.as_str();
        let flags = ["--leader-election", "--lease-namespace", namespace];
        Self::start_with(scene, &flags, &[]).await
    }

    pub async fn start_with(
        scene: &Scene,
        flags: &[&str],
        environment: &[(String, String)],
    ) -> Result<Self> {
        let cluster = scene.stage.cluster();
        let proxy = scene.stage.proxy().await?;
        let kubeconfig = cluster
            .service_account_kubeconfig(&scene.namespace, "operator", Some(&proxy.url()))
            .await?;
        let bind = unused_address()?;
        let flags = [&["--namespace", &scene.namespace], flags].concat();
        let flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
        let process = scene.replica_in(&kubeconfig, &bind, &flags, environment)?;
        let replica = Self {
            proxy,
            bind,
            process,
        };
        scene
            .until("a replica is ready", async || {
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

    pub async fn until_it_leads(&self, scene: &Scene, leads: bool) -> Result<()> {
        let what = format!("a replica {} lead", if leads { "does" } else { "does not" });
        let check = async || Ok((self.leads().await? == leads).then_some(()));
        scene.until(&what, check).await
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
pub async fn pair_of_replicas(stage: Arc<Stage>) -> Result<(Scene, Replica, Replica)> {
    let scene = Scene::before_start(stage).await?;
    let leader = Replica::start(&scene).await?;
    leader.until_it_leads(&scene, true).await?;
    let standby = Replica::start(&scene).await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_ready("orders").await?;
    Ok((scene, leader, standby))
}

pub fn leases(scene: &Scene) -> Api<Lease> {
    Api::namespaced(scene.stage.cluster().client(), &scene.namespace)
}

pub async fn holder(scene: &Scene) -> Result<Option<String>> {
    let lease = leases(scene).get(LEASE).await?;
    Ok(lease.spec.and_then(|spec| spec.holder_identity))
}

/// Checks that `orders` has published the second pair.
pub async fn rotated(scene: &Scene) -> Result<()> {
    let published = scene.until_ready("orders").await?;
    let published = published.status.context("a status")?.published;
    assert_eq!(published.context("published")?.revision, 2);
    let content = scene.content(TARGET).await?;
    assert_eq!(content["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}
