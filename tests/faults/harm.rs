//! API server and etcd stop, die and lose data. These tests share a cluster of their own and run one
//! at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use cluster::{
    control_plane::ControlPlane,
    proxy::{Fault, Recorded, Verb},
};
use kube::ResourceExt;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    actions::{TARGET, tests},
    report,
    scene::{PAIR, SECOND, Scene, Stage},
    tally::survived,
};

tests![
    f12_a_store_compacted_beyond_the_watch,
    f17_an_api_server_that_freezes_dies_and_is_away,
    f18_an_etcd_that_is_killed,
    f21_a_definition_that_is_deleted_and_installed_again,
];

static TURN: Mutex<()> = Mutex::const_new(());

/// The cluster that may be harmed, reserved while the guard lives.
pub async fn alone(stage: &Stage) -> Result<(Arc<Stage>, MutexGuard<'static, ()>)> {
    let turn = TURN.lock().await;
    Ok((stage.elsewhere().await?, turn))
}

fn seconds(quick: u64, thorough: u64) -> Duration {
    let seconds = if report::thorough() { thorough } else { quick };
    Duration::from_secs(seconds)
}

/// Publishes a pair and checks that the target keeps its UID.
pub async fn rotates(scene: &Scene, pair: (&str, &str)) -> Result<()> {
    let before = scene.secrets.get(TARGET).await?.uid();
    scene.source("pair", pair).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    assert_eq!(scene.secrets.get(TARGET).await?.uid(), before);
    Ok(())
}

const RESOURCES: &str = "staticawscredentials";

async fn restarted(cluster: &ControlPlane) -> Result<()> {
    cluster.api_server().kill().await?;
    cluster.api_server().start()?;
    cluster.ready().await
}

async fn f12_a_store_compacted_beyond_the_watch(stage: Arc<Stage>) -> Result<()> {
    let (stage, _turn) = alone(&stage).await?;
    let scene = Scene::settled_with(Arc::clone(&stage), json!({})).await?;
    let cluster = stage.cluster();
    let mark = scene.proxy.mark();
    scene.proxy.set_fault(Box::new(|_| Fault::CutBefore));
    for turn in 0..20u8 {
        scene.secret("unrelated", &[("turn", &[turn])]).await?;
    }
    cluster.compact().await?;
    // The restart empties the API server's watch cache, which would hide the compaction, and ends its watches.
    restarted(cluster).await?;
    scene.proxy.clear_fault();
    scene
        .until("the resources were listed anew", async || {
            // No relist of Secrets is required: their watch had delivered all events.
            let since = scene.proxy.since(mark);
            let listed = |by: &Recorded| by.is_streaming_list() && by.resource == RESOURCES;
            Ok(since.iter().any(listed).then_some(()))
        })
        .await?;
    let costs = scene.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");
    let log = scene.log()?;
    assert!(log.contains("too old resource version"), "{log}");
    rotates(&scene, SECOND).await?;
    assert_eq!(scene.sts.calls().len(), 2);
    Ok(())
}

/// The API server or etcd is absent from the middle of a rotation on: the operator sends at most 1
/// request per second, and converges within 35 s after the API server is ready again.
async fn outlived(
    scene: &Scene,
    what: &str,
    away: Duration,
    pair: (&str, &str),
    begin: impl AsyncFn(&ControlPlane) -> Result<()>,
    end: impl AsyncFn(&ControlPlane) -> Result<()>,
) -> Result<()> {
    let cluster = scene.stage.cluster();
    let before = scene.secrets.get(TARGET).await?.uid();
    scene.source("pair", pair).await?;
    begin(cluster).await?;
    let mark = scene.proxy.mark();
    tokio::time::sleep(away).await;
    let asked = scene.proxy.since(mark).len();
    assert!(asked <= usize::try_from(away.as_secs())?, "{what}: {asked}");
    assert!(scene.operator()?.is_running());
    end(cluster).await?;
    cluster.ready().await?;
    let back = Instant::now();
    scene.until_agreed("orders").await?;
    let took = back.elapsed();
    assert!(took < Duration::from_secs(35), "{what}: {took:?}");
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    assert_eq!(scene.secrets.get(TARGET).await?.uid(), before, "{what}");
    eprintln!("{what} for {away:?}: {asked} requests, converged after {took:?}");
    Ok(())
}

async fn f17_an_api_server_that_freezes_dies_and_is_away(stage: Arc<Stage>) -> Result<()> {
    let (stage, _turn) = alone(&stage).await?;
    let scene = Scene::settled_with(stage, json!({})).await?;
    let freeze = async |cluster: &ControlPlane| cluster.api_server().freeze().await;
    let thaw = async |cluster: &ControlPlane| {
        cluster.api_server().thaw();
        Ok(())
    };
    let kill = async |cluster: &ControlPlane| cluster.api_server().kill().await;
    let start = async |cluster: &ControlPlane| cluster.api_server().start();
    let (frozen, dead, away) = (seconds(20, 120), seconds(20, 20), seconds(40, 600));
    outlived(&scene, "frozen", frozen, SECOND, freeze, thaw).await?;
    outlived(&scene, "killed", dead, PAIR, kill, start).await?;
    outlived(&scene, "away", away, SECOND, kill, start).await?;
    let deletes = scene.proxy.requests();
    assert!(!deletes.iter().any(|by| by.verb == Verb::Delete));
    let test = "f17_an_api_server_that_freezes_dies_and_is_away";
    let what = format!("absences of {frozen:?}, {dead:?} and {away:?}");
    survived(test, 3, &what);
    Ok(())
}

async fn f18_an_etcd_that_is_killed(stage: Arc<Stage>) -> Result<()> {
    let (stage, _turn) = alone(&stage).await?;
    let scene = Scene::settled_with(stage, json!({})).await?;
    let kill = async |cluster: &ControlPlane| cluster.etcd().kill().await;
    let start = async |cluster: &ControlPlane| cluster.etcd().start();
    outlived(&scene, "without etcd", seconds(10, 60), SECOND, kill, start).await?;
    rotates(&scene, PAIR).await
}

const DEFINITION: &str = "customresourcedefinition/staticawscredentials.awscredentials.dev";

async fn f21_a_definition_that_is_deleted_and_installed_again(stage: Arc<Stage>) -> Result<()> {
    let (stage, _turn) = alone(&stage).await?;
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let scene = Scene::settled_with(Arc::clone(&stage), retain.clone()).await?;
    let kept = scene.secrets.get(TARGET).await?;
    let cluster = stage.cluster();
    cluster.kubectl(&["delete", DEFINITION]).await?;
    let named = "staticawscredentials.awscredentials.dev";
    scene.until_unready(named).await?;
    let mark = scene.proxy.mark();
    let away = seconds(10, 120);
    tokio::time::sleep(away).await;
    let asked = scene.proxy.since(mark).len();
    assert!(asked <= usize::try_from(away.as_secs())?, "{asked}");
    assert!(scene.operator()?.is_running());
    assert_eq!(scene.secrets.get(TARGET).await?, kept);

    stage.define().await.context("install it again")?;
    scene.resource("orders", "pair", retain).await?;
    scene.until_agreed("orders").await?;
    let adopted = scene.secrets.get(TARGET).await?;
    assert_eq!((adopted.uid(), adopted.data), (kept.uid(), kept.data));
    scene.ready().await?;
    rotates(&scene, SECOND).await
}
