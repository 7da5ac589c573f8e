//! The requests of an idle operator and after small changes.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::proxy::{Answer, Fault, Verb};
use serde_json::json;

use crate::{
    actions::{TARGET, assert_silent, tests},
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![
    rest_and_new_watches_cost_nothing_but_watches,
    a_new_list_costs_nothing_but_lists,
    unrelated_secrets_cost_nothing,
    a_source_that_is_touched_costs_one_read_and_one_write,
    f8_a_source_that_is_deleted_and_comes_back_costs_no_question,
];

async fn rest_and_new_watches_cost_nothing_but_watches(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled_with_short_watches(stage, Duration::from_secs(1)).await?;
    let mark = scene.proxy.mark();
    scene
        .until("watches were opened anew", async || {
            Ok((scene.proxy.counts(mark).watches >= 4).then_some(()))
        })
        .await?;
    let costs = scene.costs(mark).await?;
    assert_silent(&costs);
    assert_eq!((costs.lists, costs.other), (0, 0), "{costs:?}");
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn a_new_list_costs_nothing_but_lists(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled_with_short_watches(stage, Duration::from_secs(1)).await?;
    scene.resource("absent", "none", json!({})).await?;
    scene
        .until_status("absent", "Ready", "False", "SourceNotFound")
        .await?;
    scene.until_idle().await?;
    let mark = scene.proxy.mark();
    scene.proxy.set_fault(Box::new(|head| match head.verb {
        Verb::Watch if !head.is_streaming_list() => Fault::Answer(expired()),
        Verb::Watch => Fault::EndAfter(Duration::from_secs(1)),
        _ => Fault::Pass,
    }));
    scene
        .until("both kinds were listed anew", async || {
            let since = scene.proxy.since(mark);
            let listed = |what: &str| {
                since
                    .iter()
                    .filter(|by| by.is_streaming_list() && by.resource == what)
                    .count()
            };
            let both = listed("secrets") >= 2 && listed("staticawscredentials") >= 2;
            Ok(both.then_some(()))
        })
        .await?;
    scene.proxy.clear_fault();
    let costs = scene.proxy.counts(mark);
    assert_silent(&costs);
    assert_eq!(scene.sts.calls().len(), 1);

    // The operator still reacts to changes.
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    Ok(())
}

/// The response to a watch from an expired resource version.
fn expired() -> Answer {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410,
    });
    let event = json!({ "type": "ERROR", "object": status });
    Answer {
        status: 200,
        body: format!("{event}\n").into_bytes(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
    }
}

async fn unrelated_secrets_cost_nothing(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let mark = scene.proxy.mark();
    for turn in 0..3u8 {
        for number in 0..50 {
            let name = format!("unrelated-{number}");
            scene.secret(&name, &[("turn", &[turn])]).await?;
        }
    }
    for number in 0..50 {
        scene.delete_secret(&format!("unrelated-{number}")).await?;
    }
    let costs = scene.costs(mark).await?;
    assert_silent(&costs);
    assert_eq!(costs.lists, 0, "{costs:?}");
    let metrics = scene.get_http("/metrics").await?;
    let source_and_target = "\nstaticawscredentials_tracked_secrets 2\n";
    assert!(metrics.contains(source_and_target), "{metrics}");
    Ok(())
}

async fn a_source_that_is_touched_costs_one_read_and_one_write(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let before = scene.version(TARGET).await?;
    let mark = scene.proxy.mark();
    scene
        .edit_secret(
            "pair",
            json!({ "metadata": { "labels": { "touched": "yes" } } }),
        )
        .await?;
    scene.until_agreed("orders").await?;
    let costs = scene.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() <= 1, "{costs:?}");
    assert_eq!(scene.version(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn f8_a_source_that_is_deleted_and_comes_back_costs_no_question(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let before = scene.version(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.delete_secret("pair").await?;
    scene
        .until_says("orders", "Ready", "False", "SourceNotFound")
        .await?;
    scene.source("pair", PAIR).await?;
    scene.until_agreed("orders").await?;
    let costs = scene.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() <= 2, "{costs:?}");
    assert_eq!(scene.version(TARGET).await?, before);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}
