//! Runs a story, with one process or with two, the first of which is killed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::proxy::{Proxy, Recorded, Verb};
use futures::FutureExt;
use k8s_openapi::jiff::SignedDuration;
use serde_json::json;

use super::{
    point::{Point, lay_in_wait},
    story::{Begins, Deed, Story},
};
use crate::{
    actions::TARGET,
    outcome::Outcome,
    scene::{PAIR, SECOND, Scene, Stage},
    sightings::Sightings,
};

/// Longer than the pauses of a loop of reconciles.
const SILENCE: Duration = Duration::from_millis(1200);
const RESTARTED: &str = "ConsumersRestarted";
const DEADLINE: Duration = Duration::from_mins(1);

/// How a story ended.
pub struct Played {
    pub outcome: Outcome,
    /// The requests of all its processes.
    pub requests: Vec<Recorded>,
    /// Targets that were deleted.
    pub gone: Vec<String>,
    /// The number of calls to STS.
    pub questions: usize,
    /// Whether the process was killed.
    pub killed: bool,
}

/// Whether and where the process is killed.
#[derive(Clone, Copy)]
pub enum Fate<'a> {
    Undisturbed,
    KilledAt(&'a Point),
    /// As soon as the deed is done, at any stage of the reconcile.
    KilledAtOnce,
    /// Killed at the point, and then the deed breaks the convergence in a way that the checks have to notice.
    Betrayed(&'a Point, Deed),
}

/// Runs a story to its end: to the expected outcome if there is one, otherwise to the end that the story defines.
pub async fn play(
    stage: Arc<Stage>,
    story: &Story,
    fate: Fate<'_>,
    expected: Option<&Outcome>,
) -> Result<Played> {
    let mut scene = prepare(stage, story, |_| {}).await?;
    let playing = Playing::begin(&scene).await?;
    let reached = match fate {
        Fate::Undisturbed => None,
        Fate::KilledAtOnce => Some(async {}.boxed()),
        Fate::KilledAt(point) | Fate::Betrayed(point, _) => {
            Some(lay_in_wait(&scene.proxy, point).map(drop).boxed())
        }
    };
    (story.deed)(&mut scene).await?;
    let mut killed = false;
    if let Some(reached) = reached {
        // The story may end without this request: the timing of Kubernetes Events varies, since a task sends them.
        tokio::select! {
            () = reached => killed = true,
            over = over(&scene, story, expected) => drop(over?),
        }
        scene.operator()?.kill();
        scene.proxy.clear_fault();
        if let Fate::Betrayed(_, deed) = fate {
            deed(&mut scene).await?;
        }
        scene.start_operator().await?;
    }
    let outcome = over(&scene, story, expected).await?;
    playing.end(&scene, outcome, killed).await
}

/// A story in progress.
pub struct Playing {
    pub sightings: Sightings,
    mark: usize,
    asked: usize,
}

impl Playing {
    /// The story begins now.
    pub async fn begin(scene: &Scene) -> Result<Self> {
        let client = scene.stage.cluster().client();
        Ok(Self {
            sightings: Sightings::of(client, &scene.namespace).await?,
            mark: scene.proxy.mark(),
            asked: scene.sts.calls().len(),
        })
    }

    /// Ends the story. Fails if an unverified pair was ever published.
    pub async fn end(self, scene: &Scene, outcome: Outcome, killed: bool) -> Result<Played> {
        Ok(Played {
            outcome,
            requests: scene.proxy.since(self.mark),
            gone: self.sightings.testify(&[PAIR, SECOND]).await?,
            questions: scene.sts.calls().len() - self.asked,
            killed,
        })
    }
}

/// Waits for the end of a story, and for the silence after it.
pub async fn over(scene: &Scene, story: &Story, expected: Option<&Outcome>) -> Result<Outcome> {
    let client = scene.stage.cluster().client();
    let ended = async || -> Result<Option<Outcome>> {
        let outcome = Outcome::of(client.clone(), &scene.namespace).await?;
        let ended = match expected {
            Some(expected) => outcome == *expected,
            None => story.is_over(&outcome),
        };
        Ok(ended.then_some(outcome))
    };
    let what = expected.map_or_else(
        || story.ends.to_owned(),
        |it| format!("the outcome is\n{it}"),
    );
    scene.until(&what, &ended).await?;
    let quiet = scene.proxy.quiet_but_for(&["leases"], SILENCE);
    tokio::time::timeout(DEADLINE, quiet)
        .await
        .context("the operator did not go silent")?;
    ended().await?.context("the outcome did not last")
}

/// Sets the scene before a story; `arrange` gets the proxy before the operator starts.
pub async fn prepare(
    stage: Arc<Stage>,
    story: &Story,
    arrange: impl FnOnce(&Proxy),
) -> Result<Scene> {
    let mut scene = Scene::before_start(stage).await?;
    arrange(&scene.proxy);
    scene.source("pair", PAIR).await?;
    match story.begins {
        Begins::Settled(spec) => {
            scene.start_operator().await?;
            scene.resource("orders", "pair", spec()).await?;
            scene.until_agreed("orders").await?;
        }
        Begins::Idle => scene.start_operator().await?,
        Begins::Rotated => rotated(&mut scene).await?,
        Begins::Stopped(leads) => {
            if leads {
                let namespace = scene.namespace.clone();
                scene.flags(&["--leader-election", "--lease-namespace", &namespace]);
            }
            scene.resource("orders", "pair", json!({})).await?;
        }
    }
    let quiet = scene.proxy.quiet_but_for(&["leases"], SILENCE / 2);
    tokio::time::timeout(DEADLINE, quiet)
        .await
        .context("the operator does not rest")?;
    Ok(scene)
}

/// Without a node, a `DaemonSet` is healthy as soon as its controller has observed it.
async fn rotated(scene: &mut Scene) -> Result<()> {
    for name in ["a", "b"] {
        let labels = json!({ "app": name });
        let workload = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": { "name": name, "namespace": scene.namespace },
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
        scene.stage.cluster().apply(&workload.to_string()).await?;
    }
    scene.flags(&["--restart-consumers"]);
    scene.start_operator().await?;
    let spec = json!({ "rotation": { "restart": { "scope": "Consumers" } } });
    scene.resource("orders", "pair", spec).await?;
    scene.until_agreed("orders").await?;
    scene.source("pair", SECOND).await?;
    scene
        .until_status("orders", RESTARTED, "Unknown", "RestartsPending")
        .await?;
    scene.stop_operator();
    // The workloads must be older than the pair, and timestamps have no fractions.
    tokio::time::sleep(Duration::from_secs(2)).await;
    scene
        .published_before(SignedDuration::from_secs(91))
        .await?;
    Ok(())
}

impl Story {
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

impl Played {
    /// Fails if this run did more than the undisturbed run.
    pub fn compare(&self, calm: &Self, story: &Story) -> Result<()> {
        let questions = (self.questions, calm.questions);
        ensure!(questions.0 <= questions.1 + 1, "{questions:?} questions");
        ensure!(self.gone == calm.gone, "{:?} went", self.gone);
        if story.races {
            return Ok(());
        }
        let (writes, expected) = (self.writes(), calm.writes());
        ensure!(writes == expected, "{writes:?} instead of {expected:?}");
        // An adoption starts with a create that gets a 409, once per process.
        let refused = (self.refused_creates(), 2 * calm.refused_creates());
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
