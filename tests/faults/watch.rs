//! A watch that breaks, lies or stammers.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::proxy::{Fault, Verb};
use serde_json::json;

use crate::{
    actions::tests,
    report,
    scene::{SECOND, Scene, Stage},
};

tests![f13_a_watch_that_is_closed_every_2_s];

async fn f13_a_watch_that_is_closed_every_2_s(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled_with(stage, json!({})).await?;
    scene.proxy.set_fault(Box::new(|head| match head.verb {
        Verb::Watch => Fault::EndAfter(Duration::from_secs(2)),
        _ => Fault::Pass,
    }));
    scene.proxy.black_hole();
    let mark = scene.proxy.mark();
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    tokio::time::sleep(Duration::from_secs(9)).await;
    let requests = scene.proxy.since(mark);
    let watches = requests.iter().filter(|it| it.verb == Verb::Watch).count();
    let costs = scene.costs(mark).await;
    assert!(watches >= 4, "the watches were closed: {costs:?}");
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    let writes = costs.writes.get("staticawscredentials/status");
    assert_eq!(writes, Some(&1), "{costs:?}");
    report::tried(
        "f13_a_watch_that_is_closed_every_2_s",
        watches,
        watches,
        "watches closed",
    );
    Ok(())
}
