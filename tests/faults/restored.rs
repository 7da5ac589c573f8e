//! The store of the API server is reset to a snapshot under a running operator, by etcd's own tool.
//! (kube-controller-manager keeps running too and gets no events for a while; nothing here needs it.)

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, ensure};
use cluster::{control_plane::Restored, proxy::Verb, sts::Answer};
use kube::api::{ListParams, VersionMatch};
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    harm::{alone, rotates},
    scene::{PAIR, SECOND, Scene, Stage},
    tally::survived,
};

tests![
    f19_a_store_restored_from_before_what_was_seen,
    f19_a_store_restored_with_its_revision_bumped,
    f19_a_status_that_went_back_alone,
];

async fn f19_a_store_restored_from_before_what_was_seen(stage: Arc<Stage>) -> Result<()> {
    undone(stage, Restored::AsItWas).await?;
    let test = "f19_a_store_restored_from_before_what_was_seen";
    survived(test, 1, "snapshot restored under a running operator");
    Ok(())
}

async fn f19_a_store_restored_with_its_revision_bumped(stage: Arc<Stage>) -> Result<()> {
    undone(stage, Restored::Bumped).await?;
    let test = "f19_a_store_restored_with_its_revision_bumped";
    survived(test, 1, "snapshot restored under a running operator");
    Ok(())
}

/// Everything since the snapshot is undone while the operator runs: a rotation, a deletion, a resource.
async fn undone(stage: Arc<Stage>, restored: Restored) -> Result<()> {
    let (stage, _turn) = alone(&stage).await?;
    let scene = Scene::settled_with(Arc::clone(&stage), json!({})).await?;
    let cluster = stage.cluster();
    scene.resource("doomed", "pair", json!({})).await?;
    scene.until_agreed("doomed").await?;
    scene.until_idle().await?;
    let saved = saved(&scene);
    let (version, target) = (version(&scene).await?, scene.secrets.get(TARGET).await?);
    cluster.save_snapshot(&saved).await?;

    rotates(&scene, SECOND).await?;
    scene.delete_resource("doomed").await?;
    scene.resource("late", "pair", json!({})).await?;
    scene.until_agreed("late").await?;
    for turn in 0..50u8 {
        scene.secret("unrelated", &[("turn", &[turn])]).await?;
    }
    scene.until_idle().await?;
    let seen = self::version(&scene).await?;
    let (mark, calls) = (scene.proxy.mark(), scene.sts.calls().len());
    cluster.restore_snapshot(&saved, restored).await?;
    assert_stands(&scene, restored, version, seen).await?;
    until_noticed(&scene, restored).await?;
    for name in ["orders", "doomed"] {
        scene.until_agreed(name).await?;
    }
    let costs = scene.costs(mark).await?;
    assert_eq!(scene.secrets.get(TARGET).await?, target);
    assert!(scene.secrets.get_opt("late-credentials").await?.is_none());
    let kinds = [Verb::Create, Verb::Delete];
    let since = scene.proxy.since(mark).into_iter();
    let changed = since.filter(|by| kinds.contains(&by.verb) && by.resource == "secrets");
    assert_eq!(changed.count(), 0, "{costs:?}");
    assert_eq!(scene.sts.calls().len(), calls, "{costs:?}");

    // Its watches still deliver, although it has seen versions that the restore has undone.
    rotates(&scene, SECOND).await?;
    scene.until_agreed("doomed").await?;
    scene.target_is_restored().await
}

fn saved(scene: &Scene) -> PathBuf {
    let directory = scene.stage.cluster().directory();
    directory.join(format!("{}.snapshot", scene.namespace))
}

/// The version of a list of Secrets.
async fn version(scene: &Scene) -> Result<u64> {
    let list = scene.secrets.list_metadata(&ListParams::default()).await?;
    let version = list.metadata.resource_version;
    Ok(version.context("a list without a version")?.parse()?)
}

/// Versions went back or jumped far ahead; only in the first case does the store still have the old ones.
async fn assert_stands(scene: &Scene, restored: Restored, old: u64, seen: u64) -> Result<()> {
    let now = version(scene).await?;
    let exactly = ListParams::default()
        .at(&old.to_string())
        .matching(VersionMatch::Exact);
    let list = scene.secrets.list_metadata(&exactly).await;
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

async fn until_noticed(scene: &Scene, restored: Restored) -> Result<()> {
    let told = match restored {
        Restored::AsItWas => "everything is listed anew",
        Restored::Bumped => "too old resource version",
    };
    scene
        .until("the operator has noticed", async || {
            Ok(scene.log()?.contains(told).then_some(()))
        })
        .await
}

/// Only the status of the resource is older after the restore; Secrets did not change since the snapshot.
async fn f19_a_status_that_went_back_alone(stage: Arc<Stage>) -> Result<()> {
    let (stage, _turn) = alone(&stage).await?;
    let scene = Scene::open(Arc::clone(&stage)).await?;
    scene.sts.answer(SECOND.0, Answer::unknown_key());
    scene.source("pair", SECOND).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene
        .until_says("orders", "Ready", "False", "Settling")
        .await?;
    let saved = saved(&scene);
    let cluster = stage.cluster();
    cluster.save_snapshot(&saved).await?;
    scene.until_stalled("orders", "AccessKeyUnknown").await?;
    for restored in [Restored::AsItWas, Restored::Bumped] {
        let mark = scene.proxy.mark();
        cluster.restore_snapshot(&saved, restored).await?;
        scene.until_stalled("orders", "AccessKeyUnknown").await?;
        ensure!(scene.changes(mark) > 0, "{restored:?}: it was not undone");
    }
    // The operator can still write, whichever versions it has seen.
    scene.source("pair", PAIR).await?;
    scene.until_agreed("orders").await?;
    let test = "f19_a_status_that_went_back_alone";
    survived(test, 2, "statuses that went back, written again");
    Ok(())
}
