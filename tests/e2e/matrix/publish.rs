//! The verification and publication of a pair, and their requests.

use std::sync::Arc;

use anyhow::Result;
use futures::FutureExt;
use serde_json::json;

use crate::harness::test_env::{ACCOUNT, ARN, PAIR, SECOND, Test, TestCluster, TestEnv};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "a_good_pair_is_proven_once_and_published_in_two_writes",
            |test_cluster| create(test_cluster).boxed_local(),
        ),
        (
            "a_new_pair_replaces_the_old_one_in_one_write",
            |test_cluster| rotate(test_cluster).boxed_local(),
        ),
    ]
}

async fn create(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    let mark = env.proxy.mark();
    env.resource("orders", "pair", json!({})).await?;
    let object = env.until_ready("orders").await?;

    let target = env.content("orders-credentials").await?;
    assert_eq!(target["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(target["AWS_SECRET_ACCESS_KEY"], PAIR.1);
    let status = object.status.unwrap_or_default();
    let identity = status
        .identity
        .map(|identity| (identity.account_id, identity.arn));
    assert_eq!(identity, Some((ACCOUNT.to_owned(), ARN.to_owned())));
    assert_eq!(
        status
            .published
            .map(|published| (published.revision, published.key_id_suffix)),
        Some((1, "L2A3".to_owned()))
    );

    let costs = env.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert_eq!(costs.written(), 2, "{costs:?}");
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn rotate(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_ready("orders").await?;
    env.until_idle().await?;
    let mark = env.proxy.mark();

    env.source("pair", SECOND).await?;
    let object = env.until_ready("orders").await?;

    assert_eq!(
        env.content("orders-credentials").await?["AWS_ACCESS_KEY_ID"],
        SECOND.0
    );
    assert_eq!(
        object
            .status
            .and_then(|status| status.published)
            .map(|published| published.revision),
        Some(2)
    );
    let costs = env.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (1, 2), "{costs:?}");
    assert_eq!(env.sts.calls_for(SECOND.0).len(), 1);
    Ok(())
}
