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
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    report,
    suite::tests,
};

tests![
    f12_a_store_compacted_beyond_the_watch,
    f17_an_api_server_that_freezes_dies_and_is_away,
    f18_an_etcd_that_is_killed,
    f21_a_definition_that_is_deleted_and_installed_again,
];

static TURN: Mutex<()> = Mutex::const_new(());

/// The cluster whose parts may be killed, reserved while the guard lives.
pub async fn alone(
    test_cluster: &TestCluster,
) -> Result<(Arc<TestCluster>, MutexGuard<'static, ()>)> {
    let turn = TURN.lock().await;
    Ok((test_cluster.another().await?, turn))
}

fn seconds(quick: u64, thorough: u64) -> Duration {
    let seconds = if report::thorough() { thorough } else { quick };
    Duration::from_secs(seconds)
}

/// Publishes a pair and checks that the target keeps its UID.
pub async fn rotates(env: &TestEnv, pair: (&str, &str)) -> Result<()> {
    let before = env.secrets.get(TARGET).await?.uid();
    env.source("pair", pair).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    assert_eq!(env.secrets.get(TARGET).await?.uid(), before);
    Ok(())
}

const RESOURCES: &str = "staticawscredentials";

async fn restarted(cluster: &ControlPlane) -> Result<()> {
    cluster.api_server().kill().await?;
    cluster.api_server().start()?;
    cluster.ready().await
}

async fn f12_a_store_compacted_beyond_the_watch(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (test_cluster, _turn) = alone(&test_cluster).await?;
    let env = TestEnv::settled_with(Arc::clone(&test_cluster), json!({})).await?;
    let cluster = test_cluster.cluster();
    let mark = env.proxy.mark();
    env.proxy.set_fault(Box::new(|_| Fault::CutBefore));
    for turn in 0..20u8 {
        env.secret("unrelated", &[("turn", &[turn])]).await?;
    }
    cluster.compact().await?;
    // The restart empties the API server's watch cache, which would hide the compaction, and ends its watches.
    restarted(cluster).await?;
    env.proxy.clear_fault();
    env.until("the resources were listed anew", async || {
        // No relist of Secrets is required: their watch had delivered all events.
        let since = env.proxy.since(mark);
        let listed = |by: &Recorded| by.is_streaming_list() && by.resource == RESOURCES;
        Ok(since.iter().any(listed).then_some(()))
    })
    .await?;
    let costs = env.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");
    let log = env.log()?;
    assert!(log.contains("too old resource version"), "{log}");
    rotates(&env, SECOND).await?;
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

/// The API server or etcd is absent from the middle of a rotation on: the operator sends at most 1
/// request per second, and converges within 35 s after the API server is ready again.
async fn outlived(
    env: &TestEnv,
    what: &str,
    away: Duration,
    pair: (&str, &str),
    begin: impl AsyncFn(&ControlPlane) -> Result<()>,
    end: impl AsyncFn(&ControlPlane) -> Result<()>,
) -> Result<()> {
    let cluster = env.test_cluster.cluster();
    let before = env.secrets.get(TARGET).await?.uid();
    env.source("pair", pair).await?;
    begin(cluster).await?;
    let mark = env.proxy.mark();
    tokio::time::sleep(away).await;
    let asked = env.proxy.since(mark).len();
    assert!(asked <= usize::try_from(away.as_secs())?, "{what}: {asked}");
    assert!(env.operator()?.is_running());
    end(cluster).await?;
    cluster.ready().await?;
    let back = Instant::now();
    env.until_converged("orders").await?;
    let took = back.elapsed();
    assert!(took < Duration::from_secs(35), "{what}: {took:?}");
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    assert_eq!(env.secrets.get(TARGET).await?.uid(), before, "{what}");
    eprintln!("{what} for {away:?}: {asked} requests, converged after {took:?}");
    Ok(())
}

async fn f17_an_api_server_that_freezes_dies_and_is_away(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (test_cluster, _turn) = alone(&test_cluster).await?;
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let freeze = async |cluster: &ControlPlane| cluster.api_server().freeze().await;
    let thaw = async |cluster: &ControlPlane| {
        cluster.api_server().thaw();
        Ok(())
    };
    let kill = async |cluster: &ControlPlane| cluster.api_server().kill().await;
    let start = async |cluster: &ControlPlane| cluster.api_server().start();
    let (frozen, dead, away) = (seconds(20, 120), seconds(20, 20), seconds(40, 600));
    outlived(&env, "frozen", frozen, SECOND, freeze, thaw).await?;
    outlived(&env, "killed", dead, PAIR, kill, start).await?;
    outlived(&env, "away", away, SECOND, kill, start).await?;
    let deletes = env.proxy.requests();
    assert!(!deletes.iter().any(|by| by.verb == Verb::Delete));
    let test = "f17_an_api_server_that_freezes_dies_and_is_away";
    let what = format!("absences of {frozen:?}, {dead:?} and {away:?}");
    survived(test, 3, &what);
    Ok(())
}

async fn f18_an_etcd_that_is_killed(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (test_cluster, _turn) = alone(&test_cluster).await?;
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let kill = async |cluster: &ControlPlane| cluster.etcd().kill().await;
    let start = async |cluster: &ControlPlane| cluster.etcd().start();
    outlived(&env, "without etcd", seconds(10, 60), SECOND, kill, start).await?;
    rotates(&env, PAIR).await
}

const DEFINITION: &str = "customresourcedefinition/staticawscredentials.awscredentials.dev";

async fn f21_a_definition_that_is_deleted_and_installed_again(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (test_cluster, _turn) = alone(&test_cluster).await?;
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let env = TestEnv::settled_with(Arc::clone(&test_cluster), retain.clone()).await?;
    let kept = env.secrets.get(TARGET).await?;
    let cluster = test_cluster.cluster();
    cluster.kubectl(&["delete", DEFINITION]).await?;
    let named = "staticawscredentials.awscredentials.dev";
    env.until_unready(named).await?;
    let mark = env.proxy.mark();
    let away = seconds(10, 120);
    tokio::time::sleep(away).await;
    let asked = env.proxy.since(mark).len();
    assert!(asked <= usize::try_from(away.as_secs())?, "{asked}");
    assert!(env.operator()?.is_running());
    assert_eq!(env.secrets.get(TARGET).await?, kept);

    test_cluster.define().await.context("install it again")?;
    env.resource("orders", "pair", retain).await?;
    env.until_converged("orders").await?;
    let adopted = env.secrets.get(TARGET).await?;
    assert_eq!((adopted.uid(), adopted.data), (kept.uid(), kept.data));
    env.ready().await?;
    rotates(&env, SECOND).await
}
