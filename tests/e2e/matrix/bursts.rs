//! A namespace with many resources beside a namespace with one resource.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Fault, RequestHead, Verb};
use futures::future::try_join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    harness::test_env::{PAIR, SECOND, TestCluster, TestEnv},
    suite::tests,
};

tests![a_burst_whose_requests_hang_leaves_permits_to_others];

/// Permits for a namespace with many resources: 2 of the 16 permits are not for such namespaces.
const PERMITS: usize = 14;

/// Two namespaces under one operator: `members` resources in one, a single resource in the other.
async fn beside(test_cluster: Arc<TestCluster>, members: usize) -> Result<(TestEnv, TestEnv)> {
    let burst = TestEnv::before_start(Arc::clone(&test_cluster)).await?;
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.share_with(&burst).await?;
    env.start_operator().await?;
    burst.source("pair", PAIR).await?;
    let names: Vec<String> = (0..members).map(|number| format!("of-{number}")).collect();
    let create = async |name: &String| burst.resource(name, "pair", json!({})).await;
    try_join_all(names.iter().map(create)).await?;
    for name in &names {
        burst.until_ready(name).await?;
    }
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    Ok((burst, env))
}

/// Sets a fault for the reads of the source of the burst, at the proxy of `env`.
fn set_fault_for_source(
    env: &TestEnv,
    burst: &TestEnv,
    how: impl Fn() -> Fault + Send + Sync + 'static,
) {
    let namespace = burst.namespace.clone();
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

async fn a_burst_whose_requests_hang_leaves_permits_to_others(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (burst, env) = beside(test_cluster, 40).await?;
    let (release, held) = watch::channel(false);
    set_fault_for_source(&env, &burst, move || Fault::Hold(held.clone()));
    let mark = env.proxy.mark();
    burst.touch("pair").await?;
    let what = "the burst has all its permits";
    env.until(what, async || {
        let held = reads_in_progress(&env, mark, &burst.namespace);
        Ok((held >= PERMITS).then_some(()))
    })
    .await?;
    for pair in [SECOND, PAIR] {
        env.source("pair", pair).await?;
        env.until_converged("orders").await?;
        let taken = reads_in_progress(&env, mark, &burst.namespace);
        assert!(taken <= PERMITS, "{taken}");
    }
    release.send_replace(true);
    let what = "the rest of the burst was served";
    env.until(what, async || {
        let served = reads(&env, mark, &burst.namespace);
        Ok((served >= 40).then_some(()))
    })
    .await
}
