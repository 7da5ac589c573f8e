//! A namespace with many resources beside a namespace with one resource.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Fault, RequestHead, Verb};
use futures::future::try_join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    actions::tests,
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![a_crowd_whose_requests_hang_leaves_places_to_others];

/// Permits for a namespace with many resources: 2 of the 16 permits are not for such namespaces.
const PLACES: usize = 14;

/// Two namespaces under one operator: `members` resources in one, a single resource in the other.
async fn beside(stage: Arc<Stage>, members: usize) -> Result<(Scene, Scene)> {
    let crowd = Scene::before_start(Arc::clone(&stage)).await?;
    let mut scene = Scene::before_start(stage).await?;
    scene.share_with(&crowd).await?;
    scene.start_operator().await?;
    crowd.source("pair", PAIR).await?;
    let names: Vec<String> = (0..members).map(|number| format!("of-{number}")).collect();
    let create = async |name: &String| crowd.resource(name, "pair", json!({})).await;
    try_join_all(names.iter().map(create)).await?;
    for name in &names {
        crowd.until_ready(name).await?;
    }
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    Ok((crowd, scene))
}

/// Sets a fault for the reads of the crowd's source, at the proxy of the other scene.
fn hinder(scene: &Scene, crowd: &Scene, how: impl Fn() -> Fault + Send + Sync + 'static) {
    let namespace = crowd.namespace.clone();
    scene.proxy.set_fault(Box::new(move |head| {
        if reads_source(head, &namespace) {
            how()
        } else {
            Fault::Pass
        }
    }));
}

fn reads_source(head: &RequestHead, namespace: &str) -> bool {
    head.verb == Verb::Get
        && head.namespace.as_deref() == Some(namespace)
        && head.name.as_deref() == Some("pair")
}

/// The number of reads of the source in a namespace since a mark.
fn reads(scene: &Scene, mark: usize, namespace: &str) -> usize {
    let requests = scene.proxy.since(mark);
    requests
        .iter()
        .filter(|it| reads_source(it, namespace))
        .count()
}

/// The number of these reads without an answer. A read that the operator cancelled is finished.
fn reads_in_progress(scene: &Scene, mark: usize, namespace: &str) -> usize {
    let requests = scene.proxy.since(mark);
    let reads = requests.iter().filter(|it| reads_source(it, namespace));
    reads.filter(|read| read.finished.is_none()).count()
}

async fn a_crowd_whose_requests_hang_leaves_places_to_others(stage: Arc<Stage>) -> Result<()> {
    let (crowd, scene) = beside(stage, 40).await?;
    let (release, held) = watch::channel(false);
    hinder(&scene, &crowd, move || Fault::Hold(held.clone()));
    let mark = scene.proxy.mark();
    crowd.touch("pair").await?;
    let what = "all its places are taken";
    scene
        .until(what, async || {
            let held = reads_in_progress(&scene, mark, &crowd.namespace);
            Ok((held >= PLACES).then_some(()))
        })
        .await?;
    for pair in [SECOND, PAIR] {
        scene.source("pair", pair).await?;
        scene.until_agreed("orders").await?;
        let taken = reads_in_progress(&scene, mark, &crowd.namespace);
        assert!(taken <= PLACES, "{taken}");
    }
    release.send_replace(true);
    let what = "the others of the crowd were served";
    scene
        .until(what, async || {
            let served = reads(&scene, mark, &crowd.namespace);
            Ok((served >= 40).then_some(()))
        })
        .await
}
