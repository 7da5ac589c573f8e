//! The store of the API server is reset to a snapshot under a running operator, by etcd's own tool.
//! (kube-controller-manager keeps running too and gets no events for a while; nothing here needs it.)

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, ensure};
use cluster::{control_plane::Restored, proxy::Verb, sts::Answer};
use kube::api::{ListParams, VersionMatch};
use serde_json::json;

use crate::{
    chaos::{
        cluster_outage::{alone, rotates},
        counts::survived,
    },
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    f19_a_store_restored_from_before_what_was_seen,
    f19_a_store_restored_with_its_revision_bumped,
    f19_a_status_that_went_back_alone,
];

async fn f19_a_store_restored_from_before_what_was_seen(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    undone(test_cluster, Restored::AsItWas).await?;
    let test = "f19_a_store_restored_from_before_what_was_seen";
    survived(test, 1, "snapshot restored under a running operator");
    Ok(())
}

async fn f19_a_store_restored_with_its_revision_bumped(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    undone(test_cluster, Restored::Bumped).await?;
    let test = "f19_a_store_restored_with_its_revision_bumped";
    survived(test, 1, "snapshot restored under a running operator");
    Ok(())
}

/// Everything since the snapshot is undone while the operator runs: a rotation, a deletion, a resource.
async fn undone(test_cluster: Arc<TestCluster>, restored: Restored) -> Result<()> {
    let (test_cluster, _turn) = alone(&test_cluster).await?;
    let env = TestEnv::settled_with(Arc::clone(&test_cluster), json!({})).await?;
    let cluster = test_cluster.cluster();
    env.resource("doomed", "pair", json!({})).await?;
    env.until_converged("doomed").await?;
    env.until_idle().await?;
    let saved = saved(&env);
    let (version, target) = (version(&env).await?, env.secrets.get(TARGET).await?);
    cluster.save_snapshot(&saved).await?;

    rotates(&env, SECOND).await?;
    env.delete_resource("doomed").await?;
    env.resource("late", "pair", json!({})).await?;
    env.until_converged("late").await?;
    for turn in 0..50u8 {
        env.secret("unrelated", &[("turn", &[turn])]).await?;
    }
    env.until_idle().await?;
    let seen = self::version(&env).await?;
    let (mark, calls) = (env.proxy.mark(), env.sts.calls().len());
    cluster.restore_snapshot(&saved, restored).await?;
    assert_stands(&env, restored, version, seen).await?;
    until_noticed(&env, restored).await?;
    for name in ["orders", "doomed"] {
        env.until_converged(name).await?;
    }
    let costs = env.costs(mark).await?;
    assert_eq!(env.secrets.get(TARGET).await?, target);
    assert!(env.secrets.get_opt("late-credentials").await?.is_none());
    let kinds = [Verb::Create, Verb::Delete];
    let since = env.proxy.since(mark).into_iter();
    let changed = since.filter(|by| kinds.contains(&by.verb) && by.resource == "secrets");
    assert_eq!(changed.count(), 0, "{costs:?}");
    assert_eq!(env.sts.calls().len(), calls, "{costs:?}");

    // Its watches still deliver, although it has seen versions that the restore has undone.
    rotates(&env, SECOND).await?;
    env.until_converged("doomed").await?;
    env.target_is_restored().await
}

fn saved(env: &TestEnv) -> PathBuf {
    let directory = env.test_cluster.cluster().directory();
    directory.join(format!("{}.snapshot", env.namespace))
}

/// The version of a list of Secrets.
async fn version(env: &TestEnv) -> Result<u64> {
    let list = env.secrets.list_metadata(&ListParams::default()).await?;
    let version = list.metadata.resource_version;
    Ok(version.context("a list without a version")?.parse()?)
}

/// Versions went back or jumped far ahead; only in the first case does the store still have the old ones.
async fn assert_stands(env: &TestEnv, restored: Restored, old: u64, seen: u64) -> Result<()> {
    let now = version(env).await?;
    let exactly = ListParams::default()
        .at(&old.to_string())
        .matching(VersionMatch::Exact);
    let list = env.secrets.list_metadata(&exactly).await;
    match restored {
        Restored::AsItWas => {
            ensure!(old <= now && now < seen, "{old}, {seen}, then {now}");
            list.context("the version of the snapshot")?;
        }
        Restored::Bumped => {
            ensure!(now > seen + 1_000_000, "{old}, {seen}, then {now}");
            let forgotten = matches!(&list, Err(kube::Error::Api(status)) if status.code == 410);
            ensure!(forgotten, "{list:?}");
        }
    }
    Ok(())
}

async fn until_noticed(env: &TestEnv, restored: Restored) -> Result<()> {
    let line = match restored {
        Restored::AsItWas => "everything is listed again",
        Restored::Bumped => "too old resource version",
    };
    env.until("the operator has noticed", async || {
        Ok(env.log()?.contains(line).then_some(()))
    })
    .await
}

/// Only the status of the resource is older after the restore; Secrets did not change since the snapshot.
async fn f19_a_status_that_went_back_alone(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (test_cluster, _turn) = alone(&test_cluster).await?;
    let env = TestEnv::open(Arc::clone(&test_cluster)).await?;
    env.sts.answer(SECOND.0, Answer::unknown_key());
    env.source("pair", SECOND).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_condition("orders", "Ready", "False", "Settling")
        .await?;
    let saved = saved(&env);
    let cluster = test_cluster.cluster();
    cluster.save_snapshot(&saved).await?;
    env.until_stalled("orders", "AccessKeyUnknown").await?;
    for restored in [Restored::AsItWas, Restored::Bumped] {
        let mark = env.proxy.mark();
        cluster.restore_snapshot(&saved, restored).await?;
        env.until_stalled("orders", "AccessKeyUnknown").await?;
        ensure!(env.changes(mark) > 0, "{restored:?}: it was not undone");
    }
    // The operator can still write, whichever versions it has seen.
    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    let test = "f19_a_status_that_went_back_alone";
    survived(test, 2, "statuses that went back, written again");
    Ok(())
}
