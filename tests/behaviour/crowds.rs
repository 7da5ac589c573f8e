//! One namespace's crowd beside another namespace that has one resource.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use cluster::proxy::{Fault, RequestHead, Verb};
use futures::future::try_join_all;
use serde_json::json;
use tokio::{sync::watch, time::sleep};

use crate::{
    actions::tests,
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![
    a_crowd_whose_requests_hang_leaves_places_to_others,
    a_crowd_steps_back_while_others_are_served,
];

/// Places of a crowd: of 16 that there are, two are not for it.
const PLACES: usize = 14;

/// Of one source, so that a touch of it is work for all of them: a read each.
const CROWD: usize = 280;

/// Two namespaces that one operator serves: a crowd, and one resource alone.
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

/// What becomes of the crowd's reads, by the operator of the other scene.
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

/// When the sources of a namespace were read.
fn reads(scene: &Scene, mark: usize, namespace: &str) -> Vec<Instant> {
    let requests = scene.proxy.since(mark);
    let reads = requests.iter().filter(|it| reads_source(it, namespace));
    reads.map(|read| read.started).collect()
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
            let began = reads(&scene, mark, &crowd.namespace).len();
            Ok((began >= PLACES).then_some(()))
        })
        .await?;
    for pair in [SECOND, PAIR] {
        scene.source("pair", pair).await?;
        scene.until_agreed("orders").await?;
        let taken = reads(&scene, mark, &crowd.namespace).len();
        // The first of them may have begun before the others were woken: it was alone then.
        assert!(taken <= PLACES + 1, "{taken}");
    }
    release.send_replace(true);
    let what = "the others of the crowd were served";
    scene
        .until(what, async || {
            let served = reads(&scene, mark, &crowd.namespace).len();
            Ok((served >= 40).then_some(()))
        })
        .await
}

/// Reads of the crowd take as long as a crowd steps back. So many begin in that time otherwise as the
/// crowd has places; when one resource of another namespace has come, hardly any.
async fn a_crowd_steps_back_while_others_are_served(stage: Arc<Stage>) -> Result<()> {
    const WINDOW: Duration = Duration::from_millis(90);
    let (crowd, scene) = beside(stage, CROWD).await?;
    hinder(&scene, &crowd, || Fault::Delay(Duration::from_millis(100)));
    let (mut before, mut after) = (0, 0);
    for turn in 0..4 {
        let mark = scene.proxy.mark();
        crowd.touch("pair").await?;
        sleep(Duration::from_millis(600)).await;
        let pair = if turn % 2 == 0 { SECOND } else { PAIR };
        scene.source("pair", pair).await?;
        scene.until_agreed("orders").await?;
        let of_crowd = reads(&scene, mark, &crowd.namespace);
        let came = reads(&scene, mark, &scene.namespace);
        assert_eq!(came.len(), 1);
        let within = |from: Instant| {
            let until = from + WINDOW;
            let reads = of_crowd.iter().filter(|at| **at >= from && **at < until);
            reads.count()
        };
        let earlier = came[0].checked_sub(WINDOW + Duration::from_millis(20));
        before += within(earlier.context("the clock has just begun")?);
        after += within(came[0]);
        scene.until_idle().await?;
        let served = reads(&scene, mark, &crowd.namespace).len();
        assert!(served >= CROWD, "{served}");
    }
    eprintln!("reads of the crowd: {before} before, {after} after one came alone");
    assert!(before >= 12, "the crowd had nothing to do");
    assert!(after * 2 < before, "{after} after, {before} before");
    Ok(())
}
