//! Runs a scenario, with one process or with two, the first of which is killed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::proxy::{Proxy, Recorded, Verb};
use futures::FutureExt;
use k8s_openapi::jiff::SignedDuration;
use serde_json::json;

use super::{
    point::{Point, stop_at},
    scenario::{Action, InitialState, Scenario},
};
use crate::{
    chaos::{outcome::Outcome, target_history::TargetHistory},
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
};

/// Longer than the pauses of a loop of reconciles.
const SILENCE: Duration = Duration::from_millis(1200);
const RESTARTED: &str = "ConsumersRestarted";
const DEADLINE: Duration = Duration::from_mins(1);

/// How a scenario ended.
pub struct Finished {
    pub outcome: Outcome,
    /// The requests of all processes.
    pub requests: Vec<Recorded>,
    /// The names of deleted targets.
    pub gone: Vec<String>,
    /// The number of calls to STS.
    pub questions: usize,
    /// Whether the process was killed.
    pub killed: bool,
}

/// Whether and where the first process is killed.
#[derive(Clone, Copy)]
pub enum Disruption<'a> {
    None,
    KillAt(&'a Point),
    /// A kill as soon as the action is done, at any stage of the reconcile.
    KillAtOnce,
    /// A kill at the point, and then an action that breaks the convergence in a way that the checks have to notice.
    KillAndSabotage(&'a Point, Action),
}

/// Runs a scenario to its end: to the expected outcome if there is one, otherwise to the end that the scenario defines.
pub async fn run(
    test_cluster: Arc<TestCluster>,
    scenario: &Scenario,
    disruption: Disruption<'_>,
    expected: Option<&Outcome>,
) -> Result<Finished> {
    let mut env = prepare(test_cluster, scenario, |_| {}).await?;
    let running = Running::begin(&env).await?;
    let reached = match disruption {
        Disruption::None => None,
        Disruption::KillAtOnce => Some(async {}.boxed()),
        Disruption::KillAt(point) | Disruption::KillAndSabotage(point, _) => {
            Some(stop_at(&env.proxy, point).map(drop).boxed())
        }
    };
    (scenario.action)(&mut env).await?;
    let mut killed = false;
    if let Some(reached) = reached {
        // The scenario may end without this request: the timing of Kubernetes Events varies, since a task sends them.
        tokio::select! {
            () = reached => killed = true,
            ended = until_end(&env, scenario, expected) => drop(ended?),
        }
        env.operator()?.kill();
        env.proxy.clear_fault();
        if let Disruption::KillAndSabotage(_, action) = disruption {
            action(&mut env).await?;
        }
        env.start_operator().await?;
    }
    let outcome = until_end(&env, scenario, expected).await?;
    running.end(&env, outcome, killed).await
}

/// A scenario in progress.
pub struct Running {
    pub target_history: TargetHistory,
    mark: usize,
    asked: usize,
}

impl Running {
    /// Starts the scenario.
    pub async fn begin(env: &TestEnv) -> Result<Self> {
        let client = env.test_cluster.cluster().client();
        Ok(Self {
            target_history: TargetHistory::of(client, &env.namespace).await?,
            mark: env.proxy.mark(),
            asked: env.sts.calls().len(),
        })
    }

    /// Ends the scenario. Fails if an unverified pair was ever published.
    pub async fn end(self, env: &TestEnv, outcome: Outcome, killed: bool) -> Result<Finished> {
        Ok(Finished {
            outcome,
            requests: env.proxy.since(self.mark),
            gone: self.target_history.check(&[PAIR, SECOND]).await?,
            questions: env.sts.calls().len() - self.asked,
            killed,
        })
    }
}

/// Waits for the end of a scenario, and until no further request follows.
pub async fn until_end(
    env: &TestEnv,
    scenario: &Scenario,
    expected: Option<&Outcome>,
) -> Result<Outcome> {
    let client = env.test_cluster.cluster().client();
    let ended = async || -> Result<Option<Outcome>> {
        let outcome = Outcome::of(client.clone(), &env.namespace).await?;
        let ended = match expected {
            Some(expected) => outcome == *expected,
            None => scenario.is_over(&outcome),
        };
        Ok(ended.then_some(outcome))
    };
    let what = expected.map_or_else(
        || scenario.ends.to_owned(),
        |it| format!("the outcome is\n{it}"),
    );
    env.until(&what, &ended).await?;
    let quiet = env.proxy.quiet_but_for(&["leases"], SILENCE);
    tokio::time::timeout(DEADLINE, quiet)
        .await
        .context("the operator did not go silent")?;
    ended().await?.context("the outcome did not last")
}

/// Prepares the environment of a scenario; `arrange` gets the proxy before the operator starts.
pub async fn prepare(
    test_cluster: Arc<TestCluster>,
    scenario: &Scenario,
    arrange: impl FnOnce(&Proxy),
) -> Result<TestEnv> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    arrange(&env.proxy);
    env.source("pair", PAIR).await?;
    match scenario.initial_state {
        InitialState::Settled(spec) => {
            env.start_operator().await?;
            env.resource("orders", "pair", spec()).await?;
            env.until_converged("orders").await?;
        }
        InitialState::Idle => env.start_operator().await?,
        InitialState::Rotated => rotated(&mut env).await?,
        InitialState::Stopped(leads) => {
            if leads {
                let namespace = env.namespace.clone();
                env.flags(&["--leader-election", "--lease-namespace", &namespace]);
            }
            env.resource("orders", "pair", json!({})).await?;
        }
    }
    let quiet = env.proxy.quiet_but_for(&["leases"], SILENCE / 2);
    tokio::time::timeout(DEADLINE, quiet)
        .await
        .context("the operator does not become idle")?;
    Ok(env)
}

/// Without a node, a `DaemonSet` is healthy as soon as its controller has observed it.
async fn rotated(env: &mut TestEnv) -> Result<()> {
    for name in ["a", "b"] {
        let labels = json!({ "app": name });
        let workload = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": { "name": name, "namespace": env.namespace },
            "spec": {
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [{
                        "name": "app", "image": "app", "envFrom": [{ "secretRef": { "name": TARGET } }],
                    }] },
                },
            },
        });
        env.test_cluster
            .cluster()
            .apply(&workload.to_string())
            .await?;
    }
    env.flags(&["--restart-consumers"]);
    env.start_operator().await?;
    let spec = json!({ "rotation": { "restart": { "scope": "Consumers" } } });
    env.resource("orders", "pair", spec).await?;
    env.until_converged("orders").await?;
    env.source("pair", SECOND).await?;
    env.until_status("orders", RESTARTED, "Unknown", "RestartsPending")
        .await?;
    env.stop_operator();
    // The workloads must be older than the pair, and timestamps have no fractions.
    tokio::time::sleep(Duration::from_secs(2)).await;
    env.published_before(SignedDuration::from_secs(91)).await?;
    Ok(())
}

impl Scenario {
    fn is_over(&self, outcome: &Outcome) -> bool {
        let ready = outcome.condition("orders", "Ready") == self.ends;
        let current = outcome.is_current("orders") || self.ends.is_empty();
        let holds =
            |(secret, id): &(&str, Option<&str>)| outcome.value(secret, "AWS_ACCESS_KEY_ID") == *id;
        let restarted =
            ["", "True ConsumersRestarted"].contains(&outcome.condition("orders", RESTARTED));
        ready && current && restarted && self.holds.iter().all(holds)
    }
}

impl Finished {
    /// Fails if this run did more than the baseline.
    pub fn compare(&self, baseline: &Self, scenario: &Scenario) -> Result<()> {
        let questions = (self.questions, baseline.questions);
        ensure!(questions.0 <= questions.1 + 1, "{questions:?} questions");
        ensure!(self.gone == baseline.gone, "{:?} went", self.gone);
        if scenario.races {
            return Ok(());
        }
        let (writes, expected) = (self.writes(), baseline.writes());
        ensure!(writes == expected, "{writes:?} instead of {expected:?}");
        // An adoption starts with a create that gets a 409, once per process.
        let refused = (self.refused_creates(), 2 * baseline.refused_creates());
        ensure!(refused.0 <= refused.1, "{refused:?} creates of what exists");
        Ok(())
    }

    fn refused_creates(&self) -> usize {
        let refused = self.requests.iter().filter(|request| {
            let is_create = request.verb == Verb::Create && request.resource == "secrets";
            is_create && request.status == Some(409)
        });
        refused.count()
    }

    /// The number of successful writes to Secrets and workloads, by verb and name.
    fn writes(&self) -> BTreeMap<String, usize> {
        let mut writes = BTreeMap::new();
        let changed = self.requests.iter().filter(|request| {
            let done = request.status.is_some_and(|status| status < 300);
            let counts = ["secrets", "daemonsets"].contains(&request.resource.as_str());
            counts && request.verb.writes() && done
        });
        for request in changed {
            let what = format!("{:?} {:?}", request.verb, request.name);
            *writes.entry(what).or_default() += 1;
        }
        writes
    }
}
