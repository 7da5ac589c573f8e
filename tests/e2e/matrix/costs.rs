//! The requests of an idle operator and after small changes.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::proxy::{Answer, Fault, Verb};
use serde_json::json;

use crate::{
    harness::{
        actions::{TARGET, assert_silent},
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    rest_and_new_watches_cost_nothing_but_watches,
    a_new_list_costs_nothing_but_lists,
    unrelated_secrets_cost_nothing,
    a_source_that_is_touched_costs_one_read_and_one_write,
    f8_a_source_that_is_deleted_and_comes_back_costs_no_question,
];

async fn rest_and_new_watches_cost_nothing_but_watches(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled_with_short_watches(test_cluster, Duration::from_secs(1)).await?;
    let mark = env.proxy.mark();
    env.until("watches were opened anew", async || {
        Ok((env.proxy.counts(mark).watches >= 4).then_some(()))
    })
    .await?;
    let costs = env.costs(mark).await?;
    assert_silent(&costs);
    assert_eq!((costs.lists, costs.other), (0, 0), "{costs:?}");
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn a_new_list_costs_nothing_but_lists(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled_with_short_watches(test_cluster, Duration::from_secs(1)).await?;
    env.resource("absent", "none", json!({})).await?;
    env.until_status("absent", "Ready", "False", "SourceNotFound")
        .await?;
    env.until_idle().await?;
    let mark = env.proxy.mark();
    env.proxy.set_fault(Box::new(|head| match head.verb {
        Verb::Watch if !head.is_streaming_list() => Fault::Answer(expired()),
        Verb::Watch => Fault::EndAfter(Duration::from_secs(1)),
        _ => Fault::Pass,
    }));
    env.until("both kinds were listed anew", async || {
        let since = env.proxy.since(mark);
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
    env.proxy.clear_fault();
    let costs = env.proxy.counts(mark);
    assert_silent(&costs);
    assert_eq!(env.sts.calls().len(), 1);

    // The operator still reacts to changes.
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
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

async fn unrelated_secrets_cost_nothing(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    for turn in 0..3u8 {
        for number in 0..50 {
            let name = format!("unrelated-{number}");
            env.secret(&name, &[("turn", &[turn])]).await?;
        }
    }
    for number in 0..50 {
        env.delete_secret(&format!("unrelated-{number}")).await?;
    }
    let costs = env.costs(mark).await?;
    assert_silent(&costs);
    assert_eq!(costs.lists, 0, "{costs:?}");
    let metrics = env.get_http("/metrics").await?;
    let source_and_target = "\nstaticawscredentials_tracked_secrets 2\n";
    assert!(metrics.contains(source_and_target), "{metrics}");
    Ok(())
}

async fn a_source_that_is_touched_costs_one_read_and_one_write(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let before = env.version(TARGET).await?;
    let mark = env.proxy.mark();
    env.edit_secret(
        "pair",
        json!({ "metadata": { "labels": { "touched": "yes" } } }),
    )
    .await?;
    env.until_converged("orders").await?;
    let costs = env.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() <= 1, "{costs:?}");
    assert_eq!(env.version(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn f8_a_source_that_is_deleted_and_comes_back_costs_no_question(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let before = env.version(TARGET).await?;
    let mark = env.proxy.mark();
    env.delete_secret("pair").await?;
    env.until_condition("orders", "Ready", "False", "SourceNotFound")
        .await?;
    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    let costs = env.costs(mark).await?;
    assert!(costs.gets <= 2 && costs.written() <= 2, "{costs:?}");
    assert_eq!(env.version(TARGET).await?, before);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}
