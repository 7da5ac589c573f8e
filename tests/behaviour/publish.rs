//! The verification and publication of a pair, and their requests.

use std::sync::Arc;

use anyhow::Result;
use futures::FutureExt;
use serde_json::json;

use crate::scene::{ACCOUNT, ARN, PAIR, SECOND, Scene, Stage, Test};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "a_good_pair_is_proven_once_and_published_in_two_writes",
            |stage| create(stage).boxed_local(),
        ),
        ("a_new_pair_replaces_the_old_one_in_one_write", |stage| {
            rotate(stage).boxed_local()
        }),
    ]
}

async fn create(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    let mark = scene.proxy.mark();
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene.until_ready("orders").await?;

    let target = scene.content("orders-credentials").await?;
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

    let costs = scene.costs(mark).await?;
    assert!((1..=2).contains(&costs.gets), "{costs:?}");
    assert_eq!(costs.written(), 2, "{costs:?}");
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn rotate(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_ready("orders").await?;
    scene.until_idle().await?;
    let mark = scene.proxy.mark();

    scene.source("pair", SECOND).await?;
    let object = scene.until_ready("orders").await?;

    assert_eq!(
        scene.content("orders-credentials").await?["AWS_ACCESS_KEY_ID"],
        SECOND.0
    );
    assert_eq!(
        object
            .status
            .and_then(|status| status.published)
            .map(|published| published.revision),
        Some(2)
    );
    let costs = scene.costs(mark).await?;
    assert_eq!((costs.gets, costs.written()), (1, 2), "{costs:?}");
    assert_eq!(scene.sts.calls_for(SECOND.0).len(), 1);
    Ok(())
}
