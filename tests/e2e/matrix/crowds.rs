//! A namespace with many resources beside a namespace with one resource.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Fault, RequestHead, Verb};
use futures::future::try_join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    harness::actions::tests,
    harness::test_env::{PAIR, SECOND, TestCluster, TestEnv},
};

tests![a_crowd_whose_requests_hang_leaves_places_to_others];

/// Permits for a namespace with many resources: 2 of the 16 permits are not for such namespaces.
const PLACES: usize = 14;

/// Two namespaces under one operator: `members` resources in one, a single resource in the other.
async fn beside(test_cluster: Arc<TestCluster>, members: usize) -> Result<(TestEnv, TestEnv)> {
    let crowd = TestEnv::before_start(Arc::clone(&test_cluster)).await?;
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.share_with(&crowd).await?;
    env.start_operator().await?;
    crowd.source("pair", PAIR).await?;
    let names: Vec<String> = (0..members).map(|number| format!("of-{number}")).collect();
    let create = async |name: &String| crowd.resource(name, "pair", json!({})).await;
    try_join_all(names.iter().map(create)).await?;
    for name in &names {
        crowd.until_ready(name).await?;
    }
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_agreed("orders").await?;
    Ok((crowd, env))
}

/// Sets a fault for the reads of the crowd's source, at the proxy of the other environment.
fn hinder(env: &TestEnv, crowd: &TestEnv, how: impl Fn() -> Fault + Send + Sync + 'static) {
    let namespace = crowd.namespace.clone();
    env.proxy.set_fault(Box::new(move |head| {
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
fn reads(env: &TestEnv, mark: usize, namespace: &str) -> usize {
    let requests = env.proxy.since(mark);
    requests
        .iter()
        .filter(|it| reads_source(it, namespace))
        .count()
}

/// The number of these reads without an answer. A read that the operator cancelled is finished.
fn reads_in_progress(env: &TestEnv, mark: usize, namespace: &str) -> usize {
    let requests = env.proxy.since(mark);
    let reads = requests.iter().filter(|it| reads_source(it, namespace));
    reads.filter(|read| read.finished.is_none()).count()
}

async fn a_crowd_whose_requests_hang_leaves_places_to_others(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (crowd, env) = beside(test_cluster, 40).await?;
    let (release, held) = watch::channel(false);
    hinder(&env, &crowd, move || Fault::Hold(held.clone()));
    let mark = env.proxy.mark();
    crowd.touch("pair").await?;
    let what = "all its places are taken";
    env.until(what, async || {
        let held = reads_in_progress(&env, mark, &crowd.namespace);
        Ok((held >= PLACES).then_some(()))
    })
    .await?;
    for pair in [SECOND, PAIR] {
        env.source("pair", pair).await?;
        env.until_agreed("orders").await?;
        let taken = reads_in_progress(&env, mark, &crowd.namespace);
        assert!(taken <= PLACES, "{taken}");
    }
    release.send_replace(true);
    let what = "the others of the crowd were served";
    env.until(what, async || {
        let served = reads(&env, mark, &crowd.namespace);
        Ok((served >= 40).then_some(()))
    })
    .await
}
