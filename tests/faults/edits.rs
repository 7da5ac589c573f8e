//! Users and programs that edit faster than the operator reconciles.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::proxy::Fault;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    courier::{Courier, Manner, Order},
    points::play::{Playing, prepare},
    points::story,
    scene::{PAIR, SECOND, Scene, Stage},
    sightings::Sightings,
    tally::survived,
};

tests![
    f4_a_resource_that_somebody_edits_a_hundred_times_a_second,
    f9_a_source_that_changes_and_changes_back_at_once,
    f9_a_source_that_changed_and_changed_back_unseen,
    f10_a_source_that_was_deleted_and_made_anew_between_two_events,
];

async fn f4_a_resource_that_somebody_edits_a_hundred_times_a_second(
    stage: Arc<Stage>,
) -> Result<()> {
    const EDITS: usize = 250;
    let scene = Scene::settled(stage).await?;
    let mark = scene.proxy.mark();
    let annotations =
        |number: usize| json!({ "metadata": { "annotations": { "edit": number.to_string() } } });
    edit_often(&scene, EDITS, annotations).await?;
    let costs = scene.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (0, 0), "{costs:?}");

    scene.source("pair", SECOND).await?;
    let interval = |number: usize| json!({ "spec": { "validation": { "interval": format!("{}m", 10 + number) } } });
    edit_often(&scene, EDITS, interval).await?;
    scene.until_agreed("orders").await?;
    let costs = scene.costs(mark).await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    // A change of the spec may cost a read, and one more if a write came too late.
    assert!(costs.gets <= 2 * EDITS + 20, "{costs:?}");
    let statuses = costs.writes.get("staticawscredentials/status");
    assert!(
        statuses.is_some_and(|count| *count <= 2 * EDITS),
        "{costs:?}"
    );
    assert_eq!(scene.sts.calls().len(), 2);
    let name = "f4_a_resource_that_somebody_edits_a_hundred_times_a_second";
    survived(name, 2 * EDITS, "edits");
    Ok(())
}

async fn edit_often(
    scene: &Scene,
    times: usize,
    edit: impl Fn(usize) -> serde_json::Value,
) -> Result<()> {
    let mut pause = tokio::time::interval(Duration::from_millis(10));
    for number in 0..times {
        pause.tick().await;
        let patch = Patch::Merge(edit(number));
        let parameters = PatchParams::default();
        scene.resources.patch("orders", &parameters, &patch).await?;
    }
    Ok(())
}

async fn f9_a_source_that_changes_and_changes_back_at_once(stage: Arc<Stage>) -> Result<()> {
    const TIMES: u64 = 20;
    let scene = Scene::settled(stage).await?;
    let client = scene.stage.cluster().client();
    let sightings = Sightings::of(client, &scene.namespace).await?;
    for number in 0..TIMES {
        scene.source("pair", SECOND).await?;
        // Increasing delays, so that the second edit meets every stage of the reconcile.
        tokio::time::sleep(Duration::from_millis(2 * number)).await;
        scene.source("pair", PAIR).await?;
        scene.until_agreed("orders").await?;
        scene.until_idle().await?;
        assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    }
    let gone = sightings.testify(&[PAIR, SECOND]).await?;
    assert!(gone.is_empty(), "{gone:?}");
    let name = "f9_a_source_that_changes_and_changes_back_at_once";
    survived(name, 20, "changes and back");
    Ok(())
}

/// A scene whose courier holds all events from now on.
async fn held(stage: Arc<Stage>) -> Result<(Scene, Option<Courier>)> {
    let mut courier = None;
    let arrange = |proxy: &_| {
        courier = Some(Courier::employ(proxy, Manner::Pass, |_| Fault::Pass));
    };
    let scene = prepare(stage, &story::ROTATE, arrange).await?;
    if let Some(courier) = &courier {
        courier.set(Manner::Hold);
    }
    Ok((scene, courier))
}

/// Delivers only the last event of each object.
fn deliver(courier: Option<&Courier>) {
    if let Some(courier) = courier {
        courier.set(Manner::Pass);
        courier.release("secrets", Order::LastEvents);
    }
}

async fn f9_a_source_that_changed_and_changed_back_unseen(stage: Arc<Stage>) -> Result<()> {
    let (scene, courier) = held(stage).await?;
    let before = scene.version(TARGET).await?;
    scene.source("pair", SECOND).await?;
    scene.source("pair", PAIR).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    deliver(courier.as_ref());
    scene.until_agreed("orders").await?;
    scene.until_idle().await?;
    assert_eq!(scene.version(TARGET).await?, before);
    assert_eq!(scene.published("orders").await?.revision, 1);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn f10_a_source_that_was_deleted_and_made_anew_between_two_events(
    stage: Arc<Stage>,
) -> Result<()> {
    for (pair, revision, questions) in [(SECOND, 2, 2), (PAIR, 1, 1)] {
        let (scene, courier) = held(Arc::clone(&stage)).await?;
        let playing = Playing::begin(&scene).await?;
        let target = scene.secrets.get(TARGET).await?.uid();
        scene.delete_secret("pair").await?;
        scene.source("pair", pair).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        deliver(courier.as_ref());
        scene.until_agreed("orders").await?;
        scene.until_idle().await?;
        assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
        assert_eq!(scene.secrets.get(TARGET).await?.uid(), target);
        assert_eq!(scene.published("orders").await?.revision, revision);
        assert_eq!(scene.sts.calls().len(), questions);
        let gone = playing.sightings.testify(&[PAIR, SECOND]).await?;
        assert!(gone.is_empty(), "{gone:?}");
    }
    Ok(())
}
