//! A resource that the operator cannot decode, as one of a later version.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Fault, Rewrite};
use serde_json::json;

use crate::{
    actions::{TARGET, tests},
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![
    f26_one_resource_that_does_not_decode_stops_no_other,
    f26_an_undecodable_resource_keeps_its_target,
];

/// Spoils, on its way to the operator, every resource whose interval is 7 minutes.
fn spoil() -> Rewrite {
    Box::new(|line| {
        let text = String::from_utf8_lossy(line);
        text.replace(r#""interval":"7m""#, r#""interval":[7]"#)
            .into_bytes()
    })
}

fn spoiled(scene: &Scene) {
    scene.proxy.set_fault(Box::new(|head| {
        if head.resource == "staticawscredentials" && !head.verb.writes() {
            Fault::Lines(spoil())
        } else {
            Fault::Pass
        }
    }));
}

async fn f26_one_resource_that_does_not_decode_stops_no_other(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    scene.source("pair", PAIR).await?;
    scene
        .resource(
            "spoiled",
            "pair",
            json!({ "validation": { "interval": "7m" } }),
        )
        .await?;
    scene.resource("orders", "pair", json!({})).await?;
    spoiled(&scene);
    scene.start_operator().await?;
    scene.until_agreed("orders").await?;
    scene.resource("later", "pair", json!({})).await?;
    scene.until_agreed("later").await?;
    scene
        .until("an event tells of it", async || {
            let reasons = scene.event_reasons("spoiled").await?;
            Ok(reasons.contains(&"Undecodable".to_owned()).then_some(()))
        })
        .await?;
    let metrics = scene.get_http("/metrics").await?;
    let terminal =
        "controller_runtime_terminal_reconcile_errors_total{controller=\"staticawscredentials\"} ";
    for series in ["staticawscredentials_undecodable_total ", terminal] {
        let mut lines = metrics.lines();
        let count = lines.find_map(|line| line.strip_prefix(series));
        assert!(count.is_some_and(|count| count != "0"), "{metrics}");
    }
    assert!(scene.log()?.contains("cannot be decoded"));
    assert!(
        scene
            .secrets
            .get_opt("spoiled-credentials")
            .await?
            .is_none()
    );
    assert!(scene.get_http("/readyz").await?.starts_with("HTTP/1.1 200"));
    Ok(())
}

async fn f26_an_undecodable_resource_keeps_its_target(stage: Arc<Stage>) -> Result<()> {
    let spec = json!({ "validation": { "interval": "7m" } });
    let mut scene = Scene::settled_with(stage, spec).await?;
    let before = scene.version(TARGET).await?;
    scene.stop_operator();
    spoiled(&scene);
    scene.start_operator().await?;
    scene
        .resource("rival", "pair", json!({ "target": { "name": TARGET } }))
        .await?;
    scene
        .until_status("rival", "Ready", "False", "TargetConflict")
        .await?;
    assert_eq!(scene.version(TARGET).await?, before);

    scene.proxy.clear_fault();
    scene.stop_operator();
    scene.start_operator().await?;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    Ok(())
}
